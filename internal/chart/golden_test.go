package chart

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

// TestGolden compares pixels without tolerance: one moved dot is no more than a
// ten-thousandth of a picture, and go-chart draws the same on all processors.
func TestGolden(t *testing.T) {
	withResults := seedJob(12, 4)
	withResults.results, withResults.fail = true, 0.2
	manyFailed := seedJob(1500, 100)
	manyFailed.fail = 0.25
	for _, g := range []struct {
		name string
		c    *stats.Columns
		kind []Kind
	}{
		{"few", withResults.columns(), Kinds()},
		{"500", seedJob(500, 50).columns(), Kinds()},
		{"short", shortJob(500, 8).columns(), []Kind{Histogram}},
		{"failed", manyFailed.columns(), []Kind{Timeline, Histogram, Workers}},
		{"running", stopAt(seedJob(40, 8).columns(), 20), []Kind{Timeline, Histogram, Phases, Workers}},
		{"empty", sim{}.columns(), []Kind{Timeline}},
		{"reduce", thenReduce(seedJob(500, 50).columns(), 1, 6), Kinds()},
		{"reduces", thenReduce(seedJob(20, 4).columns(), 3, 4), []Kind{Timeline, Histogram}},
		{"calls", calls(5000), []Kind{Histogram, Phases, Durations}},
		{"retried", retriedJob.columns(), []Kind{Timeline, Histogram, Workers}},
		{"resumed", resumedJob.columns(), []Kind{Timeline, Histogram, Phases, Workers}},
		{"broken", brokenJob.columns(), []Kind{Timeline, Histogram, Workers}},
	} {
		for _, kind := range g.kind {
			t.Run(fmt.Sprintf("%s_%s", kind, g.name), func(t *testing.T) {
				got, _ := picture(t, kind, g.c, Options{Width: 600, Height: 360})
				compare(t, got, filepath.Join("testdata", fmt.Sprintf("%s_%s.png", kind, g.name)))
			})
		}
	}
}

func compare(t *testing.T, got *image.RGBA, name string) {
	t.Helper()
	if *update {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err, "(-update makes it)")
	}
	defer f.Close()
	want := decode(t, f)
	if got.Rect != want.Rect {
		t.Fatalf("size %v, want %v", got.Rect, want.Rect)
	}
	differ, first := 0, -1
	for i := 0; i < len(got.Pix); i += 4 {
		if !bytes.Equal(got.Pix[i:i+4], want.Pix[i:i+4]) {
			differ++
			if first < 0 {
				first = i
			}
		}
	}
	if differ == 0 {
		return
	}
	x, y := first%got.Stride/4, first/got.Stride
	t.Errorf("%d pixels differ, first %d,%d: %v, want %v", differ, x, y, got.RGBAAt(x, y), want.RGBAAt(x, y))
	shown := filepath.Join(t.ArtifactDir(), filepath.Base(name))
	var b bytes.Buffer
	if err := png.Encode(&b, got); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shown, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log("this run's picture (kept with -artifacts):", shown)
}
