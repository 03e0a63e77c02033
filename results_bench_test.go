package lithops_test

import (
	"math/rand/v2"
	"testing"

	"github.com/lithops-go/lithops"
)

// benchResults makes n results.
func benchResults(b *testing.B, n int) *lithops.FutureList[int] {
	exec, ctx := setup(b)
	fs, err := lithops.Map(ctx, exec, double, below(n))
	if err != nil {
		b.Fatal(err)
	}
	<-fs.Done()
	return fs
}

const benchTasks = 100_000

func BenchmarkAll(b *testing.B) {
	fs := benchResults(b, benchTasks)
	b.ReportAllocs()
	for b.Loop() {
		sum := 0
		for x, err := range fs.All(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			sum += x
		}
		if sum != benchTasks*(benchTasks-1) {
			b.Fatal(sum)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchTasks, "ns/result")
}

func BenchmarkResults(b *testing.B) {
	fs := benchResults(b, benchTasks)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fs.Results(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchTasks, "ns/result")
}

// Results in no order.
func BenchmarkResult(b *testing.B) {
	fs := benchResults(b, benchTasks)
	b.ReportAllocs()
	for b.Loop() {
		n := rand.IntN(benchTasks)
		if x, err := fs.At(n).Result(b.Context()); err != nil || x != 2*n {
			b.Fatal(x, err)
		}
	}
}
