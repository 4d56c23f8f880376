package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brine.test/brine/observe/pxl"
	"brine.test/brine/observe/table"
	"brine.test/brine/world/experiment"
	"brine.test/brine/world/record"
)

// RunExperiment runs an experiment file of Chaos Toolkit. Its journal is an artifact.
func (w *World) RunExperiment(ctx context.Context, path string) error {
	if err := w.begun(ctx); err != nil {
		return err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.baseDir, path)
	}
	e, err := experiment.Read(path, os.LookupEnv)
	if err != nil {
		return err
	}
	for _, s := range e.Secrets {
		w.suite.rec.AddSecret(s)
	}
	journal, failed := e.Run(ctx, experimentHost{w})
	for _, phase := range []struct {
		name  string
		state *experiment.State
	}{{"before", journal.States.Before}, {"after", journal.States.After}} {
		if phase.state != nil {
			w.rec.Check(record.Check{Kind: "steady-state", Name: e.Title, Phase: phase.name, OK: phase.state.Met, Detail: judgedOf(phase.state)})
		}
	}
	for _, note := range journal.Notes {
		w.rec.Note("", note)
	}
	b, err := json.MarshalIndent(journal, "", "  ")
	if err != nil {
		return errors.Join(failed, fmt.Errorf("the experiment's journal: %w", err))
	}
	if err := w.keepJournal(b); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("%s: %w", e.Title, failed)
	}
	return nil
}

// keepJournal makes an artifact of an experiment's journal, without the values of secrets.
func (w *World) keepJournal(journal []byte) error {
	name := "journal.json"
	if w.sight.journals++; w.sight.journals > 1 {
		name = fmt.Sprintf("journal-%d.json", w.sight.journals)
	}
	path, rel := w.rec.Artifact(name)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("the experiment's journal: %w", err)
	}
	clean := w.suite.rec.Writer(f)
	_, err = clean.Write(append(journal, '\n'))
	if err = errors.Join(err, clean.Close(), f.Close()); err != nil {
		return fmt.Errorf("the experiment's journal: %w", err)
	}
	w.rec.Attach(record.Attachment{Name: name, MediaType: "application/json", File: rel, Size: int64(len(journal) + 1)})
	return nil
}

func judgedOf(s *experiment.State) string {
	text := ""
	for _, p := range s.Probes {
		if p.Judged != "" {
			text += fmt.Sprintf("%v: %s\n", p.Activity["name"], p.Judged)
		}
	}
	return text
}

// experimentHost does what an experiment's activities ask for, in the scenario.
type experimentHost struct{ w *World }

// Script runs a PxL script where the scenario's sentences would.
func (h experimentHost) Script(ctx context.Context, name, source, from string) (*table.Table, string, error) {
	where := "PxL scripts ran on what this scenario saw: no Pixie cluster is named in the environment (PIXIE_CLUSTER_ID, PIXIE_API_KEY)"
	run := h.w.runScript
	if cluster, ok := pixieFromEnv(); ok {
		where = "PxL scripts ran on the Pixie cluster " + cluster.ID
		run = h.w.onPixie(cluster)
	}
	result, err := run(ctx, pxl.Script{Name: name, Source: source})
	if err != nil {
		return nil, where, err
	}
	t, err := result.Table(from)
	return t, where, err
}

// HTTP sends a request from the clients.
func (h experimentHost) HTTP(ctx context.Context, method, url string, headers map[string]string, body string) (int, map[string]string, string, error) {
	r := HTTPRequest{Method: method, URL: url, Body: body, Timeout: requestTimeout}
	for name, value := range headers {
		r.Headers = append(r.Headers, Field{Name: name, Value: value})
	}
	got := h.w.send(ctx, h.w.net.Clients().HTTP(), clientsName, r)
	if got.err != nil {
		return 0, nil, "", got.err
	}
	header := map[string]string{}
	for name := range got.header {
		header[name] = got.header.Get(name)
	}
	return got.status, header, got.body, nil
}

// Process runs a program from the clients' network. Where ddosify is not installed, our own load stands in for it.
func (h experimentHost) Process(ctx context.Context, program string, args []string) (code int, stdout, stderr, note string, err error) {
	path, missing := lookPath(program)
	if missing == nil {
		began := h.w.suite.rec.Now()
		code, stdout, stderr, err = h.w.runOutside(ctx, path, args)
		c := record.Command{Node: clientsName, Args: append([]string{program}, args...), Code: code, Stdout: stdout, Stderr: stderr, Start: began.Mono, Took: time.Duration(h.w.suite.rec.Now().Mono - began.Mono)}
		if err != nil {
			c.Error = err.Error()
		}
		h.w.rec.Command(c)
		return code, stdout, stderr, "", err
	}
	if filepath.Base(program) != "ddosify" {
		return 0, "", "", "", fmt.Errorf("%s: no such program on this machine: %w\nhint: install it", program, missing)
	}
	note = "ddosify is not installed: the load generator of Brine stood in for it"
	stdout, err = h.w.standInForDdosify(ctx, args)
	return 0, stdout, "", note, err
}
