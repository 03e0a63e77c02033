package main

import "strings"

// nearest is the name most like s, or "" when none is like it.
func nearest(s string, names []string) string {
	best, least := "", 1+max(1, len(s)/3)
	for _, name := range names {
		d := editDistance(strings.ToLower(s), name)
		if len(s) >= 3 && strings.HasPrefix(name, s) {
			d = min(d, 1)
		}
		if d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours between a and b.
func editDistance(a, b string) int {
	prev, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	var before []int
	for i := range len(a) {
		before, prev, row = prev, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			d := prev[j]
			if a[i] != b[j] {
				d++
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = min(d, prev[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
