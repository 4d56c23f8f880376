package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"brine.test/brine/netfab"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// pcapng is the media type of a capture.
const pcapng = "application/vnd.tcpdump.pcap"

// capture is a node's packets on their way into an artifact.
type capture struct {
	node *Node
	tap  *netfab.Capture
	file *os.File
	rel  string               // in the run's folder
	stop func() (lost uint64) // of being told what harms drop
}

// CapturePackets writes the nodes' packets from now on into a pcapng file each:
// what they send before any harm, what they receive after all harm, and what a
// harm dropped, with a comment that says which.
func (w *World) CapturePackets(ctx context.Context, who sel.Selector) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := w.capture(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) capture(ctx context.Context, n *Node) (err error) {
	w.mu.Lock()
	for _, c := range w.captures {
		if c.node == n {
			w.mu.Unlock()
			return fmt.Errorf("%s: its packets are captured already", n.Name)
		}
	}
	w.mu.Unlock()
	path, rel := w.rec.Artifact(filepath.Join("captures", n.Name+".pcapng"))
	c := &capture{node: n, rel: rel}
	if c.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644); err != nil {
		return err
	}
	if c.tap, err = n.net.Capture(ctx, c.file); err != nil {
		return errors.Join(err, c.file.Close())
	}
	c.stop, err = w.faults.Watch(n.Port(), func(l xdpfault.Lost) {
		c.tap.Lost(netfab.LostPacket{
			At: l.At, Frame: l.Frame, Length: l.Length, Outbound: l.Link.From == n.Port(), Why: w.lossOf(l),
		})
	})
	if err != nil {
		return errors.Join(err, c.tap.Stop(), c.file.Close())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.captures = append(w.captures, c)
	return nil
}

// lossOf says which harm dropped a packet: "lost: node2 isolated".
func (w *World) lossOf(l xdpfault.Lost) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.harms {
		if l.By != nil && a.handle == l.By {
			return "lost: " + a.what
		}
	}
	return "lost"
}

// keepCaptures ends the captures and enters their files in the record.
func (w *World) keepCaptures() error {
	w.mu.Lock()
	captures := w.captures
	w.captures = nil
	w.mu.Unlock()
	var errs []error
	for _, c := range captures {
		if missed := c.stop(); missed > 0 {
			w.rec.Note(record.LevelWarning, fmt.Sprintf("capture of %s: some of %d packets that harms dropped are not marked", c.node.Name, missed))
		}
		if err := errors.Join(c.tap.Stop(), c.file.Close()); err != nil {
			errs = append(errs, fmt.Errorf("capture of %s: %w", c.node.Name, err))
			continue
		}
		if lost := c.tap.Stats().Dropped; lost > 0 {
			w.rec.Note(record.LevelWarning, fmt.Sprintf("capture of %s: %d packets came too fast to be kept", c.node.Name, lost))
		}
		size := int64(0)
		if st, err := os.Stat(c.file.Name()); err == nil {
			size = st.Size()
		}
		w.rec.Attach(record.Attachment{Name: c.name(), MediaType: pcapng, File: c.rel, Size: size})
	}
	return errors.Join(errs...)
}

// name is what a report calls the file.
func (c *capture) name() string {
	s := c.tap.Stats()
	if s.Lost == 0 {
		return fmt.Sprintf("packets of %s (%d)", c.node.Name, s.Packets)
	}
	return fmt.Sprintf("packets of %s (%d, %d of them lost)", c.node.Name, s.Packets, s.Lost)
}
