package world

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"brine.test/brine/world/catalogue"
)

// checkHost refuses a URL of a host that cannot be: no node, no other name of one, no address. A node that left is
// asked for all the same, and does not answer; with internet access any name may be.
func (w *World) checkHost(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	host := u.Hostname()
	w.mu.Lock()
	open := w.internet || w.left[host]
	w.mu.Unlock()
	if _, err := netip.ParseAddr(host); err == nil || open || strings.EqualFold(host, "localhost") {
		return nil
	}
	if _, known := w.net.Lookup(host); known {
		return nil
	}
	return fmt.Errorf("%s: %w", text, w.noSuchNode(host))
}

// noSuchNode is the error of a name that nobody has, with those that there are.
func (w *World) noSuchNode(name string) error {
	known := nodeNames(w.allNodes())
	w.mu.Lock()
	for _, aliases := range w.aliases {
		known = append(known, aliases...)
	}
	w.mu.Unlock()
	if len(known) == 0 {
		return fmt.Errorf("%s: no such node, for there is no cluster yet\nhint: begin with \"Given a 3-node cluster running etcd\"", name)
	}
	hint := "there is " + listWords(known)
	if near := catalogue.Nearest(name, known); near != "" {
		hint += "; did you mean " + near + "?"
	}
	return fmt.Errorf("%s: no such node\nhint: %s", name, hint)
}

// hideInURL hides the parts of secrets that a URL holds, but for the names of nodes.
func (w *World) hideInURL(url string) {
	w.suite.rec.InURL(url, nodeNames(w.allNodes())...)
}
