// Package lithops maps a command over many inputs on a pool of worker processes
// and records where the time, CPU, memory and network of each task went.
package lithops
