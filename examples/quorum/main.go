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
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv("QUORUM_MISTAKE"), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "quorum: %v\n", err)
		os.Exit(1)
	}
}

// run serves a node until ctx ends.
func run(ctx context.Context, args []string, wrong string, stdout io.Writer) error {
	flags := flag.NewFlagSet("quorum serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	name := flags.String("name", "node1", "this node")
	listen := flags.String("listen", ":8080", "where it is served")
	members := flags.String("members", "node1=127.0.0.1", "NODE=IP of each, the first one leads in term 1")
	data := flags.String("data", "", "folder of the log; none: it is kept in memory")
	made := flags.String("mistake", wrong, "what it does wrong")
	if len(args) == 0 || args[0] != "serve" {
		return errors.New("usage: quorum serve --name=NODE --members=NODE=IP,… [--data=FOLDER] [--mistake=MISTAKE]")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	m := mistake(*made)
	if !m.known() {
		return fmt.Errorf("mistake %q: expected one of %v", m, mistakes)
	}
	if m == forgets {
		*data = ""
	}
	log, err := openStore(*data)
	if err != nil {
		return err
	}
	all, first := map[string]string{}, ""
	for _, member := range strings.Split(*members, ",") {
		who, ip, ok := strings.Cut(member, "=")
		if !ok {
			return fmt.Errorf("member %q: expected NODE=IP", member)
		}
		if first == "" {
			first = who
		}
		if !strings.Contains(ip, ":") {
			ip += ":8080"
		}
		all[who] = ip
	}
	n, err := newNode(*name, all, first, m, log, stdout)
	if err != nil {
		return err
	}
	return n.serve(ctx, *listen)
}

// serve runs the node until ctx ends.
func (n *node) serve(ctx context.Context, listen string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { n.watch(ctx) })
	for peer := range n.members {
		if peer != n.name {
			all.Go(func() { n.feed(ctx, peer) })
		}
	}
	server := &http.Server{Addr: listen, Handler: n.handler(), ReadHeaderTimeout: 10 * time.Second}
	all.Go(func() {
		<-ctx.Done()
		_ = server.Close() // what is open is cut: the process ends
	})
	n.say("listens on %s", listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	n.say("stops")
	return nil
}
