// Package calibrate proves the figures in a task's record: its tests run jobs
// whose tasks behave in a known way, and compare each record with the truth
// learned by another road, the task's own getrusage above all. With -v they
// print a table of figure, truth, measured and difference.
package calibrate
