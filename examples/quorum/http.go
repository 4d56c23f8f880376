package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kv/{key}", n.get)
	mux.HandleFunc("PUT /kv/{key}", n.put)
	mux.HandleFunc("GET /kv", n.getAll)
	mux.HandleFunc("POST /kv", n.putAll)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /status", n.status)
	mux.HandleFunc("POST /leader/{who}", n.move)
	mux.HandleFunc("POST /campaign", func(w http.ResponseWriter, r *http.Request) { answerJSON(w, n.campaign(r.Context(), true)) })
	mux.HandleFunc("POST /append", func(w http.ResponseWriter, r *http.Request) { called(w, r, n.appended) })
	mux.HandleFunc("POST /vote", func(w http.ResponseWriter, r *http.Request) { called(w, r, n.voted) })
	return mux
}

// called answers another node.
func called[In, Out any](w http.ResponseWriter, r *http.Request, f func(In) Out) {
	var in In
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answerJSON(w, f(in))
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

func fail(w http.ResponseWriter, err error) {
	var r *refusal
	if errors.As(err, &r) {
		http.Error(w, r.text, r.status)
		return
	}
	http.Error(w, err.Error(), http.StatusServiceUnavailable) // in doubt
}

var toPeers = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}}

// ask calls another node.
func (n *node) ask(ctx context.Context, peer, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, peerTime)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.members[peer]+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := toPeers.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", peer, resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (n *node) status(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answerJSON(w, map[string]any{
		"name": n.name, "leader": n.leader, "leads": n.leads(), "term": n.log.ballot.Term, "position": len(n.log.entries), "committed": n.commit,
	})
}

func (n *node) get(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	values, err := n.read(r.Context(), []string{key}, r.FormValue("stale") != "")
	switch value, ok := values[key]; {
	case errors.Is(err, errNotLeading) && !errors.Is(err, errInDoubt):
		n.forward(w, r, nil)
	case err != nil:
		fail(w, err)
	case !ok:
		http.Error(w, "nothing under "+key, http.StatusNotFound)
	default:
		fmt.Fprint(w, value)
	}
}

// getAll reads the keys that ?keys=a,b names, at one instant.
func (n *node) getAll(w http.ResponseWriter, r *http.Request) {
	values, err := n.read(r.Context(), strings.Split(r.FormValue("keys"), ","), false)
	switch {
	case errors.Is(err, errNotLeading) && !errors.Is(err, errInDoubt):
		n.forward(w, r, nil)
	case err != nil:
		fail(w, err)
	default:
		answerJSON(w, values)
	}
}

func (n *node) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, err)
		return
	}
	query := r.URL.Query()
	if n.mistake == compares && query.Has("expect") && !n.plain(w, r) {
		return
	}
	query = r.URL.Query()
	one := change{Key: r.PathValue("key"), Expect: query.Get("expect"), Value: string(body), Blind: !query.Has("expect")}
	n.change(w, r, []change{one}, body)
}

// plain makes a plain write of a follower's compare-and-set, if the follower itself holds what is expected.
func (n *node) plain(w http.ResponseWriter, r *http.Request) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	query := r.URL.Query()
	switch now, ok := n.log.values[r.PathValue("key")]; {
	case n.leads():
		return true
	case !ok || now != query.Get("expect"):
		fail(w, errConflict)
		return false
	}
	query.Del("expect")
	r.URL.RawQuery = query.Encode()
	return true
}

// putAll makes the changes of a JSON array, all at one instant or none.
func (n *node) putAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, err)
		return
	}
	var changes []change
	if err := json.Unmarshal(body, &changes); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.change(w, r, changes, body)
}

func (n *node) change(w http.ResponseWriter, r *http.Request, changes []change, body []byte) {
	at, err := n.write(r.Context(), changes)
	switch {
	case errors.Is(err, errNotLeading) && !errors.Is(err, errInDoubt):
		if n.mistake == repeats && !changes[0].Blind && rand.IntN(3) == 0 {
			n.forward(discard{}, r, body)
		}
		n.forward(w, r, body)
	case err != nil:
		fail(w, err)
	default:
		answerJSON(w, map[string]any{"position": at, "by": n.name})
	}
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// forward hands a request to the leader, once. What was surely not done is refused, the rest is in doubt.
func (n *node) forward(w http.ResponseWriter, r *http.Request, body []byte) {
	n.mu.Lock()
	leader := n.leader
	n.mu.Unlock()
	if leader == "" || leader == n.name || r.Header.Get("X-Forwarded") != "" {
		http.Error(w, n.name+" does not lead, and knows nobody who does", http.StatusMisdirectedRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), decideTime+peerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, "http://"+n.members[leader]+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		fail(w, err)
		return
	}
	req.Header.Set("X-Forwarded", n.name)
	resp, err := toPeers.Do(req)
	if err != nil {
		fail(w, fmt.Errorf("the leader cannot be reached: %w", err))
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a client that is gone needs no answer
}

// move asks another node to stand for election now.
func (n *node) move(w http.ResponseWriter, r *http.Request) {
	who := r.PathValue("who")
	if _, ok := n.members[who]; !ok {
		http.Error(w, "no such member: "+who, http.StatusNotFound)
		return
	}
	var elected bool
	if err := n.ask(r.Context(), who, "/campaign", struct{}{}, &elected); err != nil || !elected {
		http.Error(w, fmt.Sprintf("%s was not elected: %v", who, err), http.StatusServiceUnavailable)
		return
	}
	answerJSON(w, elected)
}
