package chart

import (
	"fmt"
	"io"
	"testing"
)

func BenchmarkRender(b *testing.B) {
	for _, n := range []int{500, 100_000, 1_000_000} {
		c := seedJob(n, max(50, n/1000)).columns()
		for _, kind := range Kinds() {
			for _, o := range []Options{{}, {SVG: true}} {
				format := "png"
				if o.SVG {
					format = "svg"
				}
				b.Run(fmt.Sprintf("%s/%s/%d", kind, format, n), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if err := Render(io.Discard, kind, c, o); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
