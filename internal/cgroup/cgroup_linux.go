package cgroup

import "syscall"

// cloneInto has a process start in the cgroup whose directory is open as fd.
func cloneInto(attr *syscall.SysProcAttr, fd int) { attr.UseCgroupFD, attr.CgroupFD = true, fd }
