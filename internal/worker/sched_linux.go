package worker

import "golang.org/x/sys/unix"

// wakeFirst makes the calling thread run as soon as it can when it is woken: with
// the shortest time slice it takes the processor from the child that wakes it.
// Without it the thread that has started a command often runs again
// only when the command pauses, and stamps its start that much too late.
// Children get the usual slice. Kernels before 6.12 refuse or ignore it.
func wakeFirst() {
	const shortest = 100_000 // ns, the least the kernel takes
	unix.SchedSetAttr(0, &unix.SchedAttr{
		Size:    unix.SizeofSchedAttr,
		Policy:  unix.SCHED_NORMAL,
		Flags:   unix.SCHED_FLAG_RESET_ON_FORK,
		Runtime: shortest,
	}, 0)
}
