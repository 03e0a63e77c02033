package job

import (
	"os/exec"
	"strings"
	"testing"
)

var nasty = []string{
	"", " ", "a b", "-n", "--", "'", "''", `"`, `\`, `\'`, "$(exit 9)", "`exit 9`", "${HOME}", "$HOME", ";exit 9;", "&", "|", "#", "~", "*", "!", "a'b'c",
	"line\nbreak\n", "\n", "tab\t", "ü😀", "'; exit 9; '", `"; exit 9; "`, "{}", "{{", "%s%n", "\x01\x7f", "EOF", "\nEOF\nexit 9\n", ")", "))", "a[$(exit 9)]",
}

// run gives what the shell makes of a command with value in it.
func run(t *testing.T, sh string, tpl *Template, value string) string {
	t.Helper()
	argv, err := tpl.Expand(3, appendQuoted(nil, value), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(sh, argv[1:]...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", sh, argv[2], err, out)
	}
	return string(out)
}

// A value is one word, byte for byte, wherever a replacement may stand.
func TestShellQuoting(t *testing.T) {
	shells := []string{"/bin/sh"}
	if bash, err := exec.LookPath("bash"); err == nil {
		shells = append(shells, bash)
	}
	all := append(nasty[:len(nasty):len(nasty)], strings.Join(nasty, ""))
	for i, test := range []struct{ shell, want string }{
		{"printf %s {}", "V"},
		{"printf %s a{}b", "aVb"},
		{"printf '%s|' {} {#} {}", "V|3|V|"},
		{"v={}; printf %s \"$v\"", "V"},
		{"printf %s \"it's \"{}' \"ok\"'", "it's V \"ok\""},
		{"x=$(printf %s {}; printf x); printf %s \"${{x%x}}\"", "V"},
		{"printf %s \"$(printf '%s' {}; printf x)\"", "Vx"},
		{"# it's a comment\nprintf %s {}", "V"},
		{"cat <<EOF >/dev/null\nit's \"\nEOF\nprintf %s {}", "V"},
		{"cat >/dev/null <<-'EOF'; printf %s {}\n\tit's $(\n\tEOF\nprintf %s {}", "VV"},
		{"(printf %s {})", "V"},
		{"{{ printf %s {}; }}", "V"},
		{"f() {{ printf %s \"$1\"; }}; f {}", "V"},
		{"case {} in zzz) exit 9;; esac; printf %s {}", "V"},
		{"x=$((1 + 2)); printf %s {}\"{#}\"$x", "V33"},
		{"printf '{#} %s' {}", "3 V"},
		{"printf %s \\'{}", "'V"},
		{"printf %s \"a\\\"b\"{}", "a\"bV"},
		{"x=y; printf %s \"${{x}}\"{}", "yV"},
		{"printf %s a#it{} # it's", "a#itV"},
		{"set -- $$; printf %s {}", "V"},
		{"printf '%s' {} >&2 <<E\n'\nE\n", "V"},
	} {
		tpl, err := NewTemplate(&Spec{Command: Command{Shell: test.shell}})
		if err != nil {
			t.Errorf("%s: %v", test.shell, err)
			continue
		}
		values := all
		if i > 1 { // the quotes are the same everywhere, only their place is new
			values = all[len(all)-1:]
		}
		for _, sh := range shells {
			for _, v := range values {
				if got, want := run(t, sh, tpl, v), strings.ReplaceAll(test.want, "V", v); got != want {
					t.Errorf("%s: %s with %q: got %q, want %q", sh, test.shell, v, got, want)
				}
			}
		}
	}
}

// Where quotes do not protect a value, it is refused.
func TestShellRefuses(t *testing.T) {
	for _, test := range []struct{ shell, want string }{
		{`echo "{}"`, "{} stands inside quotes; a replaced value brings its own (character 7)"},
		{`echo '{}'`, "{} stands inside quotes; a replaced value brings its own (character 7)"},
		{`echo "a'"'{a}'`, "{a} stands inside quotes; a replaced value brings its own (character 11)"},
		{"echo `ls {}`", "{} stands inside backticks (character 10)"},
		{"echo \"`ls {}`\"", "{} stands inside backticks (character 11)"},
		{"echo $((1 + {}))", "{} stands in arithmetic (character 13)"},
		{"((x = {}))", "{} stands in arithmetic (character 7)"},
		{"echo ${{x:-{}}}", "{} stands inside ${…} (character 12)"},
		{"echo \"${{x:-{}}}\"", "{} stands inside ${…} (character 13)"},
		{"ls # it's {}", "{} stands in a comment (character 11)"},
		{"ls \\\n# {}", "{} stands in a comment (character 8)"},
		{"echo $\\\n{{x:-{}}}", "{} stands inside ${…} (character 14)"},
		{"cat <\\\n<E\n{}\nE\n", "{} stands in a here-document (character 11)"},
		{"cat <<EOF\n{}\nEOF", "{} stands in a here-document (character 11)"},
		{"cat <<'E F'\nEOF\n{}\nE F\n", "{} stands in a here-document (character 17)"},
		{"cat <<{}\n", "{} stands where a here-document is named (character 7)"},
		{"echo ${}", "{} follows $ (character 7)"},
		{"echo ${#}", "{#} follows $ (character 7)"},
		{`echo \{}`, `{} follows \ (character 7)`},
		{"echo $'it\\'s' {}", "{} stands behind $'…', which shells read differently, where it is uncertain how the shell reads it (character 15)"},
		{"x=\"$(case a in a) echo \"{}\";; esac)\"", "{} stands behind case inside (…), where it is uncertain how the shell reads it (character 25)"},
		{"echo \"${{x:-\"{}\"}}\"", "{} stands behind a quoted part of ${…}, where it is uncertain how the shell reads it (character 14)"},
		{"echo $[{}]", "{} stands behind $[…], which is arithmetic to some shells, where it is uncertain how the shell reads it (character 8)"},
		{"cat <<EOF\na\\\nEOF\n{}\nEOF\n", "{} stands behind a here-document with joined lines, where it is uncertain how the shell reads it (character 18)"},
	} {
		_, err := NewTemplate(&Spec{Command: Command{Shell: test.shell}})
		if want := "command: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", test.shell, err, want)
		}
	}
}
