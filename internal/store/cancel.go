package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CancelRequest is somebody's wish that a running job ends.
type CancelRequest struct {
	TimeNS   int64  `json:"time_ns"` // Unix time
	PID      int    `json:"pid"`     // of who asks
	User     string `json:"user"`
	Hostname string `json:"hostname"`
	Now      bool   `json:"now"` // running tasks get no time to end
}

// NotRunningError is a request to a job that does not run.
type NotRunningError struct{ ID, State string }

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("job %s does not run: it is %s", e.ID, e.State)
}

// RequestCancel asks the host of a running job to end it. A later request takes the
// place of an earlier one. The errors are *NotFoundError, *NotRunningError, and what
// Job and the file system say.
func (s *Store) RequestCancel(id string, r CancelRequest) error {
	j, err := s.Job(id)
	if err != nil {
		return err
	}
	if j.state != JobRunning {
		return &NotRunningError{id, j.state}
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = writeFile(filepath.Join(j.dir, cancelName), append(b, '\n'))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{Ref: id} // removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("cancel job %s: %w", id, err)
	}
	return nil
}

// CancelRequest is the request to end the job, nil when there is none.
func (w *Writer) CancelRequest() (*CancelRequest, error) {
	path := filepath.Join(w.dir, cancelName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	r := &CancelRequest{}
	if err == nil {
		if err = json.Unmarshal(b, r); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read cancel request: %w", err)
	}
	return r, nil
}
