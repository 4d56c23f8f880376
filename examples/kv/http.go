package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /kv/{key}", n.put)
	mux.HandleFunc("GET /kv/{key}", n.get)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.status()) })
	mux.HandleFunc("GET /log", n.copied)
	mux.HandleFunc("POST /leader/{who}", n.moved)
	mux.HandleFunc("POST /leads/{who}", n.told)
	mux.HandleFunc("GET /slow", slow)
	mux.HandleFunc("POST /held/{host}", n.held.hold)
	mux.HandleFunc("GET /held/{host}", n.held.say)
	mux.HandleFunc("POST /exit/{code}", n.exit)
	mux.HandleFunc("POST /eat/{mib}", n.eat)
	mux.HandleFunc("POST /count/{millions}", count)
	mux.HandleFunc("GET /time", tellTime)
	mux.HandleFunc("GET /ahead/{host}", n.ahead)
	return mux
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
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

// put stores on the leader; another node forwards.
func (n *node) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, err)
		return
	}
	key, now := r.PathValue("key"), n.status()
	if !now.Leads {
		n.forward(w, r, now.Leader, string(body))
		return
	}
	at, err := n.log.put(key, string(body))
	if err != nil {
		fail(w, err)
		return
	}
	n.say("put %s", key)
	w.Header().Set("X-Position", strconv.Itoa(at))
	answerJSON(w, map[string]any{"key": key, "position": at, "by": n.name})
}

// get answers with what the leader holds, or a stale read with what this node holds.
func (n *node) get(w http.ResponseWriter, r *http.Request) {
	if now := n.status(); !now.Leads && r.FormValue("stale") == "" {
		n.forward(w, r, now.Leader, "")
		return
	}
	value, ok := n.log.get(r.PathValue("key"))
	if !ok {
		http.Error(w, "nothing under "+r.PathValue("key"), http.StatusNotFound)
		return
	}
	w.Header().Set("X-Node", n.name)
	fmt.Fprint(w, value)
}

func (n *node) forward(w http.ResponseWriter, r *http.Request, leader, body string) {
	if r.Header.Get("X-Forwarded") != "" {
		http.Error(w, n.name+" does not lead", http.StatusServiceUnavailable)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, n.url(leader, r.URL.Path), nil)
	if err != nil {
		fail(w, err)
		return
	}
	req.Header.Set("X-Forwarded", n.name)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	client := http.Client{Timeout: peerTimeout}
	resp, err := client.Do(req)
	if err != nil {
		fail(w, fmt.Errorf("the leader cannot be reached: %w", err))
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a client that is gone needs no answer
}

// copied gives a follower what it lacks.
func (n *node) copied(w http.ResponseWriter, r *http.Request) {
	at, err := strconv.Atoi(r.FormValue("from"))
	if err != nil {
		http.Error(w, "from: a position is expected", http.StatusBadRequest)
		return
	}
	now := n.status()
	answerJSON(w, map[string]any{"leader": now.Leader, "term": now.Term, "entries": n.log.from(at)})
}

func (n *node) moved(w http.ResponseWriter, r *http.Request) {
	if err := n.move(r.Context(), r.PathValue("who")); err != nil {
		fail(w, err)
		return
	}
	answerJSON(w, n.status())
}

func (n *node) told(w http.ResponseWriter, r *http.Request) {
	term, err := strconv.Atoi(r.FormValue("term"))
	if err != nil {
		http.Error(w, "term: a number is expected", http.StatusBadRequest)
		return
	}
	n.lead(r.PathValue("who"), term)
}

func slow(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(d):
		fmt.Fprintf(w, "took %s", d)
	case <-r.Context().Done():
	}
}

// exit ends the process with a code, once the answer is out.
func (n *node) exit(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.say("exits with code %d", code)
	fmt.Fprint(w, "bye")
	_ = http.NewResponseController(w).Flush()
	go func() {
		<-r.Context().Done()
		os.Exit(code)
	}()
}

// eat takes so many MiB of memory and keeps them.
func (n *node) eat(w http.ResponseWriter, r *http.Request) {
	mib, err := strconv.Atoi(r.PathValue("mib"))
	if err != nil || mib < 0 {
		http.Error(w, "a number of MiB is expected", http.StatusBadRequest)
		return
	}
	n.say("eats %d MiB", mib)
	meal := make([]byte, mib<<20)
	for at := 0; at < len(meal); at += 4096 {
		meal[at] = 1 // touched, so that it is really there
	}
	n.mu.Lock()
	n.eaten = append(n.eaten, meal)
	n.mu.Unlock()
	fmt.Fprint(w, "eaten")
}
