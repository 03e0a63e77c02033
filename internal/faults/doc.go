// Package faults proves that nothing is lost and nobody is left behind: its tests
// run jobs with known results, kill and stop their processes at random moments, fill
// the disk, and compare what lithops has in the end. docs/faults.md tells what they
// prove.
//
// make faults kills a thousand processes, make soak watches memory and descriptors of
// a long job; go test does a small part of both.
package faults
