package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Ways of showing progress.
const (
	progressAuto  = "auto"  // a bar on a terminal, plain lines elsewhere
	progressBar   = "bar"   // one line that is drawn again and again
	progressPlain = "plain" // a line every few seconds
	progressNone  = "none"
)

func progressModes() []string {
	return []string{progressAuto, progressBar, progressPlain, progressNone}
}

// progress shows how far a job is.
type progress interface {
	update(executor.Progress)
	// note prints a line that stays.
	note(line string)
	// done takes away what is not to stay on the screen; no update is shown after it.
	done()
}

func newProgress(w io.Writer, mode string) progress {
	if mode == progressAuto {
		mode = progressPlain
		if isTerminal(w) && os.Getenv("TERM") != "dumb" {
			mode = progressBar
		}
	}
	switch mode {
	case progressBar:
		return &bar{w: w}
	case progressPlain:
		return &plain{w: w, next: plainEvery}
	}
	return silent{w}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

type silent struct{ w io.Writer }

func (silent) update(executor.Progress) {}
func (s silent) note(line string)       { fmt.Fprintln(s.w, line) }
func (silent) done()                    {}

// bar is a progress bar on a terminal. Its figures come from the executor and
// not from the library, whose estimate is wild while few tasks are done.
type bar struct {
	w     io.Writer
	stage stage

	mu     sync.Mutex // the methods are called from several goroutines
	bar    *progressbar.ProgressBar
	closed bool
}

func (b *bar) update(p executor.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, begun := b.stage.add(p)
	if p.Tasks == 0 || b.closed {
		return
	}
	if begun {
		b.clear()
		b.bar = nil // the reduce has its own
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions(p.Tasks,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionFullWidth(),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		)
	}
	b.bar.Describe(b.stage.describe(p))
	// At the very end the library would print the bar once more, below.
	_ = b.bar.Set(min(finished(p), p.Tasks-1))
	// The terminal writes ^C where the cursor is. At the end of a full line that would
	// begin another one, and the bar above it could not be taken away any more.
	fmt.Fprint(b.w, "\r")
}

// clear takes the bar, and what was typed over it, off the screen.
func (b *bar) clear() {
	if b.bar != nil && !b.closed {
		fmt.Fprint(b.w, "\r\x1b[2K")
	}
}

func (b *bar) note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintln(b.w, line)
}

func (b *bar) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.closed = true
}

const plainEvery = 5 * time.Second

// plain prints a line every few seconds; a job shorter than that prints none.
type plain struct {
	w     io.Writer
	stage stage
	next  time.Duration
}

func (l *plain) update(p executor.Progress) {
	p, _ = l.stage.add(p)
	if p.Elapsed < l.next || finished(p) == p.Tasks {
		return
	}
	l.next = p.Elapsed + plainEvery
	fmt.Fprintf(l.w, "%3d%%  %s\n", 100*finished(p)/max(1, p.Tasks), l.stage.describe(p))
}

func (l *plain) note(line string) { fmt.Fprintln(l.w, line) }

func (l *plain) done() {}

// finished counts the tasks that need nothing more.
func finished(p executor.Progress) int { return p.Success + p.Failed + p.Cancelled }

// stage is what runs now: the map, then the reduce, whose tasks are added to the
// job's when those of the map have ended. Their number and their rate say nothing
// of one another, so each stage counts from zero. So does a job that is resumed: what
// has ended in earlier runs is left out.
type stage struct {
	tasks  int // of the map; 0 while nothing is known
	ended  int // of Progress.Before, those that Progress counts as finished
	reduce bool
	began  time.Duration
	failed int  // tasks of the stages before
	pace   pace // of this stage
}

// add notes how far the job is, and says how far the stage is, and whether it has
// begun just now.
func (s *stage) add(p executor.Progress) (of executor.Progress, begun bool) {
	if s.tasks == 0 {
		s.tasks, s.ended = p.Tasks, min(finished(p), p.Before)
	}
	if !s.reduce && p.Tasks > s.tasks {
		s.reduce, begun = true, true
		s.began, s.failed, s.pace = p.Elapsed, p.Failed, pace{}
	}
	done, before := finished(p)-s.ended, p.Before
	if s.reduce {
		done, before = done-(s.tasks-p.Before), s.tasks
	}
	p.Failed -= s.failed
	p.Success, p.Cancelled = done-p.Failed, 0
	p.Tasks -= before
	paced := p
	paced.Elapsed -= s.began
	s.pace.add(paced)
	return p, begun
}

func (s *stage) describe(p executor.Progress) string {
	if s.reduce {
		return stats.StageReduce + " " + describe(p, &s.pace)
	}
	return describe(p, &s.pace)
}

// describe is the text beside a bar: 120/500  2 failed  8 running  12.3/s  31 s left.
func describe(p executor.Progress, pace *pace) string {
	parts := []string{stats.HumanCount(int64(finished(p))) + "/" + stats.HumanCount(int64(p.Tasks))}
	if p.Failed > 0 {
		parts = append(parts, stats.HumanCount(int64(p.Failed))+" failed")
	}
	if p.Running > 0 {
		parts = append(parts, stats.HumanCount(int64(p.Running))+" running")
	}
	if p.Ending {
		return strings.Join(append(parts, "stopping"), "  ")
	}
	if rate := pace.rate(); rate > 0 {
		parts = append(parts, rateText(rate))
		if left := math.Round(float64(p.Tasks-finished(p)) / rate); left < 3600*1000 { // seconds
			parts = append(parts, stats.HumanDuration(int64(left)*int64(time.Second))+" left")
		}
	}
	return strings.Join(parts, "  ")
}

func rateText(perSecond float64) string {
	switch {
	case perSecond >= 1:
		return stats.HumanNumber(perSecond) + "/s"
	case perSecond >= 1.0/60:
		return stats.HumanNumber(perSecond*60) + "/min"
	}
	return stats.HumanNumber(perSecond*3600) + "/h"
}

// pace tells the rate over the later half of the job, or a little more of it:
// steady, and yet it follows a job whose tasks change.
type pace struct{ from, mid, now mark }

type mark struct {
	at   time.Duration
	done int
}

func (p *pace) add(e executor.Progress) {
	p.now = mark{e.Elapsed, finished(e)}
	if p.now.at >= 2*p.mid.at && p.now.at >= time.Second {
		p.from, p.mid = p.mid, p.now
	}
}

// rate is in tasks per second; 0 while nothing is known.
func (p *pace) rate() float64 {
	span := p.now.at - p.from.at
	if span <= 0 {
		return 0
	}
	return float64(p.now.done-p.from.done) / span.Seconds()
}
