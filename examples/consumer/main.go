// Command consumer is a small HTTP service for trying out steady states: it answers a request with what its upstream
// answers, or by itself where it has none.
//
//	clients ──► consumer --upstream=http://producer:8080/ ──► consumer (called producer)
//
// GET / answers {"from": NAME, "upstream": …}; /fail answers 500; /slow?by=400ms waits; /healthz answers ok.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

// serve answers until ctx ends.
func serve(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("consumer", flag.ContinueOnError)
	name := flags.String("name", "consumer", "what answers are signed with")
	upstream := flags.String("upstream", "", "URL that every answer asks first")
	listen := flags.String("listen", ":8080", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	srv := &http.Server{Addr: *listen, Handler: handler(*name, *upstream), ReadHeaderTimeout: 10 * time.Second}
	ended := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer ended()
	fmt.Fprintf(log, "%s listens on %s\n", *name, *listen)
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answer is what the service says.
type answer struct {
	From     string          `json:"from"`
	Upstream json.RawMessage `json:"upstream,omitempty"`
}

func handler(name, upstream string) http.Handler {
	client := &http.Client{Timeout: 10 * time.Second}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("/fail", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "as was asked for", http.StatusInternalServerError)
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		by, err := time.ParseDuration(r.URL.Query().Get("by"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(by):
		case <-r.Context().Done():
		}
		reply(w, answer{From: name})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a := answer{From: name}
		if upstream != "" {
			body, err := ask(r.Context(), client, upstream)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			a.Upstream = body
		}
		reply(w, a)
	})
	return mux
}

func reply(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // who asked has gone
}

func ask(ctx context.Context, client *http.Client, url string) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return body, nil
}
