package worker

import (
	"bytes"
	"os"
	"strconv"
)

// clockTick is USER_HZ, which is 100 on every Linux there is.
const clockTick = 100

// machine reads the counters of cores and interfaces from kept descriptors.
type machine struct {
	stat, net *os.File
	buf       []byte
}

func newMachine() *machine {
	m := &machine{buf: make([]byte, 64<<10)}
	m.stat, _ = os.Open("/proc/stat") // without it its figures are null
	m.net, _ = os.Open("/proc/net/dev")
	return m
}

func (m *machine) contents(f *os.File) []byte {
	if f == nil {
		return nil
	}
	for {
		n, err := f.ReadAt(m.buf, 0)
		if n < len(m.buf) {
			if err == nil || n == 0 {
				return nil
			}
			return m.buf[:n]
		}
		m.buf = make([]byte, 2*len(m.buf))
	}
}

func (m *machine) read(now int64) (r reading) {
	r.at = now
	for line := range bytes.Lines(m.contents(m.stat)) {
		if !bytes.HasPrefix(line, []byte("cpu")) {
			break
		}
		if line[3] == ' ' { // the sum of all
			continue
		}
		// cpuN user nice system idle iowait irq softirq steal …
		total, idle := 0.0, 0.0
		for i, f := range bytes.Fields(line)[1:] {
			v, err := strconv.ParseFloat(string(f), 64)
			if err != nil || i >= 8 { // guest times are part of user
				break
			}
			total += v
			if i == 3 || i == 4 {
				idle += v
			}
		}
		r.busy = append(r.busy, (total-idle)/clockTick)
		r.total = append(r.total, total/clockTick)
	}
	net := m.contents(m.net)
	for line := range bytes.Lines(net) {
		name, rest, ok := bytes.Cut(line, []byte(":"))
		f := bytes.Fields(rest)
		if !ok || len(f) < 9 {
			continue // a heading
		}
		recv, err1 := strconv.ParseInt(string(f[0]), 10, 64)
		sent, err2 := strconv.ParseInt(string(f[8]), 10, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		if string(bytes.TrimSpace(name)) == "lo" {
			r.net.loRecv += recv
			r.net.loSent += sent
		} else {
			r.net.recv += recv
			r.net.sent += sent
		}
	}
	r.netOK = net != nil
	r.ok = r.netOK || r.busy != nil
	return r
}
