package lithops

import (
	"io"

	"github.com/lithops-go/lithops/internal/store"
)

// stages are the inputs of the stages of a job: those of the reduce come when the map
// is done.
type stages struct {
	*store.InputReader
	dir  string
	left int // of this stage
}

// openStages reads the inputs of the first n tasks of the job in dir.
func openStages(dir string, n int) (*stages, error) {
	in, err := store.OpenInputs(dir)
	if err != nil {
		return nil, err
	}
	return &stages{in, dir, n}, nil
}

// Next is the next input, io.EOF at the end of a stage.
func (s *stages) Next() ([]byte, error) {
	if s.left == 0 {
		return nil, io.EOF
	}
	s.left--
	return s.InputReader.Next()
}

// more begins the next stage: n inputs, which were written behind the first of the file.
// What stood there before may have been read ahead already, so it is opened anew.
func (s *stages) more(first, n int) error {
	in, err := store.OpenInputs(s.dir)
	if err != nil {
		return err
	}
	s.Close()
	s.InputReader, s.left = in, n
	for ; first > 0; first-- {
		if _, err := in.Next(); err != nil {
			return err
		}
	}
	return nil
}
