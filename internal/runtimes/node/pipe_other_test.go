//go:build !linux

package node

import "os"

func requestPipe() (r, w *os.File, err error) { return os.Pipe() }
