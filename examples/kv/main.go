package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = "usage: kv [serve --name=NODE --members=NODE=IP,…] | get KEY | put KEY VALUE | status | move-leader NODE | ping NODE | push NODE | lookup NAME"

// run is the program; it gives the exit code: 0, 1 when it failed, 2 when it was called wrongly.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := errUsage
	switch {
	case len(args) == 0:
		err = serve(ctx, nil, stdout)
	case args[0] == "serve":
		err = serve(ctx, args[1:], stdout)
	case args[0] == "ping":
		err = ping(ctx, args[1:], stdout)
	case args[0] == "push":
		err = push(ctx, args[1:], stdout)
	case len(args) == 2 && args[0] == "lookup":
		err = lookup(ctx, args[1], stdout)
	case len(args) == 2 && args[0] == "get":
		err = call(ctx, stdout, http.MethodGet, "/kv/"+args[1], "")
	case len(args) == 3 && args[0] == "put":
		err = call(ctx, stdout, http.MethodPut, "/kv/"+args[1], args[2])
	case len(args) == 1 && args[0] == "status":
		err = call(ctx, stdout, http.MethodGet, "/status", "")
	case len(args) == 2 && args[0] == "move-leader":
		err = call(ctx, stdout, http.MethodPost, "/leader/"+args[1], "")
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "kv: %v\n", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

var errUsage = errors.New(usage)

// serve runs a node until ctx ends.
func serve(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	name := flags.String("name", "node1", "this node")
	listen := flags.String("listen", ":8080", "where it is served")
	members := flags.String("members", "", "NODE=IP of each, the first one leads")
	data := flags.String("data", "", "folder of the log; none: it is kept in memory")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	log, err := openLog(*data)
	if err != nil {
		return err
	}
	n := &node{name: *name, log: log, out: stdout, members: map[string]string{}}
	for i, member := range strings.Split(*members, ",") {
		who, ip, ok := strings.Cut(member, "=")
		if !ok {
			who, ip = *name, "127.0.0.1"
		}
		if i == 0 {
			n.leader, n.term = who, 1
		}
		n.members[who] = ip
	}
	if err := echo(ctx); err != nil {
		return err
	}
	go n.follow(ctx)
	server := &http.Server{Addr: *listen, Handler: n.handler()}
	go func() {
		<-ctx.Done()
		_ = server.Close() // what is open is cut: the process ends
	}()
	n.say("listens on %s", *listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	n.say("stops")
	return log.close()
}

// call asks the node at home and prints its answer.
func call(ctx context.Context, stdout io.Writer, method, path, body string) error {
	answer, err := send(ctx, method, "http://127.0.0.1:8080"+path, body)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, answer)
	return nil
}

// send makes a request and wants a status below 300.
func send(ctx context.Context, method, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return "", &refusal{resp.StatusCode, strings.TrimSpace(string(answer))}
	}
	return string(answer), nil
}

// refusal is an answer with an error's status.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }
