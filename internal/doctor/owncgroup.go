package doctor

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ownCgroup is the control group of this process for one controller.
type ownCgroup struct {
	dirs []string // its directory and those above it, below the machine's root
	v2   bool
}

// ownCgroup finds the group that the controller rules this process by: that of the
// old kind where the controller is mounted so, else the unified one.
func (m *machine) ownCgroup(controller string) (g ownCgroup, ok bool) {
	paths := map[string]string{} // by controller, "" for the unified one
	for line := range strings.Lines(m.read("proc/self/cgroup")) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 {
			continue
		}
		for _, name := range strings.Split(f[1], ",") {
			paths[name] = f[2]
		}
	}
	for _, mnt := range m.mounts() {
		var path string
		var in bool
		switch mnt.kind {
		case "cgroup":
			path, in = paths[controller]
			in = in && slices.Contains(strings.Split(mnt.super, ","), controller)
		case "cgroup2":
			path, in = paths[""]
			in = in && !ok // the old kind wins
		}
		if !in {
			continue
		}
		g, ok = ownCgroup{v2: mnt.kind == "cgroup2"}, true
		below, inside := strings.CutPrefix(path, strings.TrimSuffix(mnt.root, "/"))
		for dir := filepath.Join("/", below); inside && dir != "/"; dir = filepath.Dir(dir) {
			g.dirs = append(g.dirs, filepath.Join(mnt.at, dir))
		}
		g.dirs = append(g.dirs, mnt.at)
	}
	return g, ok
}

// cgroupLimit is the lowest limit that rules this process, and where it is set.
type cgroupLimit struct {
	most int64
	dir  string
	v2   bool
}

func (l cgroupLimit) file(v2, v1 string) string {
	if l.v2 {
		return filepath.Join(l.dir, v2)
	}
	return filepath.Join(l.dir, v1)
}

// ownLimit is the lowest limit in a file, by the name it has in either kind, of the
// own group and those above; not ok when there is none.
func (m *machine) ownLimit(controller, v2, v1 string) (low cgroupLimit, ok bool) {
	g, known := m.ownCgroup(controller)
	if !known {
		return low, false
	}
	const none = 1 << 60 // what the old kind says instead of no limit is above
	for _, dir := range g.dirs {
		l := cgroupLimit{dir: dir, v2: g.v2}
		n, err := strconv.ParseInt(m.read(l.file(v2, v1)), 10, 64)
		if err == nil && n < none && (!ok || n < low.most) {
			low, ok = cgroupLimit{most: n, dir: dir, v2: g.v2}, true
		}
	}
	return low, ok
}

// mount is one line of mountinfo.
type mount struct{ root, at, kind, super string }

func (m *machine) mounts() (all []mount) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(m.read("proc/self/mountinfo")) {
		// id parent dev root at options optional… - kind source super
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		all = append(all, mount{unescape.Replace(l[3]), unescape.Replace(l[4]), r[0], r[2]})
	}
	return all
}
