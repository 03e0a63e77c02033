// Mapreduce counts the words of the files given: each file by a call of its own,
// and a last one adds up what they found.
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/lithops-go/lithops"
)

// Words is what crosses between the processes, as JSON.
type Words struct {
	File  string         `json:"file"`
	Count map[string]int `json:"count"`
}

// Top is a word and how often it was found.
type Top struct {
	Word  string
	Times int
}

var countWords = lithops.Func("count words", func(_ context.Context, file string) (Words, error) {
	found := Words{File: file, Count: map[string]int{}}
	f, err := os.Open(file)
	if err != nil {
		return found, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		for _, word := range strings.FieldsFunc(lines.Text(), func(r rune) bool { return !unicode.IsLetter(r) }) {
			found.Count[strings.ToLower(word)]++
		}
	}
	return found, lines.Err()
})

var top10 = lithops.ReduceFunc("top 10", func(_ context.Context, results iter.Seq[Words]) ([]Top, error) {
	total := map[string]int{}
	for words := range results {
		for word, n := range words.Count {
			total[word] += n
		}
	}
	var top []Top
	for word, n := range total {
		top = append(top, Top{word, n})
	}
	slices.SortFunc(top, func(a, b Top) int { return cmp.Or(cmp.Compare(b.Times, a.Times), strings.Compare(a.Word, b.Word)) })
	return top[:min(10, len(top))], nil
})

func main() {
	lithops.Init()
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, files []string) error {
	exec, err := lithops.New()
	if err != nil {
		return err
	}
	defer exec.Close()
	future, err := lithops.MapReduce(ctx, exec, countWords, files, top10)
	if err != nil {
		return err
	}
	for words, err := range future.Map().All(ctx) { // as they come
		if err != nil {
			return err
		}
		fmt.Printf("%d words in %s\n", len(words.Count), words.File)
	}
	top, err := future.Result(ctx)
	if err != nil {
		return err
	}
	for _, t := range top {
		fmt.Printf("%6d %s\n", t.Times, t.Word)
	}
	return nil
}
