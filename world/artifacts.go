package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"brine.test/brine/world/record"
)

// collect copies what the services wrote into the scenario's artifacts: one
// file per service and stream. It runs before the teardown, whatever happened.
func (w *World) collect(context.Context) error {
	var errs []error
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			errs = append(errs, w.keepLogs(s))
		}
	}
	return errors.Join(errs...)
}

// keepLogs copies both streams of a service.
func (w *World) keepLogs(s *Service) error {
	if s.box == nil {
		return nil
	}
	stdout, stderr := s.box.LogPaths()
	return errors.Join(w.keepLog(s, "stdout", stdout), w.keepLog(s, "stderr", stderr))
}

func (w *World) keepLog(s *Service, stream, from string) error {
	in, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("log of %s: %w", s.label(), err)
	}
	defer in.Close()
	if st, err := in.Stat(); err != nil || st.Size() == 0 {
		return err
	}
	path, rel := w.rec.Artifact(filepath.Join("logs", s.node.Name+"-"+s.Name+"."+stream+".log"))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	// What a service printed may hold a secret that the scenario gave it.
	clean := w.suite.rec.Writer(out)
	_, err = io.Copy(clean, in)
	err = errors.Join(err, clean.Close(), out.Close())
	if err != nil {
		return fmt.Errorf("log of %s: %w", s.label(), err)
	}
	w.rec.Log(record.LogFile{Service: s.Name, Node: s.node.Name, Stream: stream, File: rel})
	return nil
}
