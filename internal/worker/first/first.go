// Package first, when a program imports it, makes a process that was started as a worker one
// before what main imports besides is initialised, which a worker has no use for: Go
// initialises packages as soon as what they import is, in the order of their paths.
//
// It is for programs without functions of their own, which are registered later.
package first

import "github.com/lithops-go/lithops/internal/worker"

func init() { worker.Main() }
