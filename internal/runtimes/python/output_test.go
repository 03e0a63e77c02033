package python

import (
	"strconv"
	"strings"
	"testing"
)

func TestOutputIsInOrderUpToItsEnd(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "prints", "says")
		for range 2 {
			if got, want := p.printed(p.want(0, `1`, `null`)), "out 1\nno newline err child\nraw\nä \\udcff"; got != want {
				t.Errorf("log %q, want %q", got, want)
			}
		}
		if got := p.printed(p.want(1, `"a\nb"`, `null`)); got != "a\nb" {
			t.Errorf("log %q", got)
		}
		if got := p.printed(p.want(1, `""`, `null`)); got != "" {
			t.Errorf("log of a call that prints nothing: %q", got)
		}
		p.end()
	})
}

func TestLogThatIsEmptiedBetweenCalls(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "says", "prints")
		for i := range 5 {
			text := strings.Repeat(strconv.Itoa(i), 5000*(5-i)) + "\nend"
			if got := p.printed(p.want(0, strconv.Quote(text), `null`)); got != text {
				t.Errorf("call %d: %d bytes in the log, want %d", i, len(got), len(text))
			}
			p.want(1, `1`, `null`)
			if err := p.log.Truncate(0); err != nil {
				t.Fatal(err)
			}
			if _, err := p.log.Seek(0, 0); err != nil {
				t.Fatal(err)
			}
			p.read = 0
		}
		if r := p.want(0, `""`, `null`); r.M[mLogEnd] != 0 {
			t.Errorf("end of the empty log: %d", r.M[mLogEnd])
		}
		p.end()
	})
}

func TestOutputSurvivesWhatUsersDo(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		for how, want := range map[string]string{
			"close": "text", "close fds": "text", "detach": "text", "delete": "text", "closed file": "text", "redirect": "text", "low": "text",
			"replace": "", // for good, as they wanted it
		} {
			p := start(t, py, testdata(t, "behave.py"), "spoils", "says", "writes_4")
			p.send(p.request(0, strconv.Quote(how)))
			p.printed(p.checkID(p.receive()))
			for range 2 {
				r := p.want(1, `"text"`, `null`)
				if got := p.printed(r); got != want {
					t.Errorf("after %s: log %q, want %q", how, got, want)
				}
			}
			if how == "replace" {
				p.want(0, `"restore"`, `null`)
				if got := p.printed(p.want(1, `"back"`, `null`)); got != "back" {
					t.Errorf("after restore: log %q", got)
				}
			}
			p.want(2, `0`, `null`)
			p.end()
		}

		// An object that is no stream takes no text; the protocol goes on.
		p := start(t, py, testdata(t, "behave.py"), "spoils", "says")
		p.want(0, `"rubbish"`, `null`)
		if r := p.try(1, `"text"`); r.Error == nil || r.Error.Type != "AttributeError" {
			t.Errorf("%+v", r)
		}
		p.end()
	})
}
