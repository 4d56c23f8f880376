package netfab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/afpacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

const (
	captureBlock  = 256 << 10 // bytes; an unsegmented packet of 64 KiB must fit
	captureBlocks = 64        // 16 MiB a node: a tenth of a second of 1 Gbit/s
	// A block is handed over when it is full or this old, which is also how
	// late the last packets of a capture may be.
	captureAge  = 10 * time.Millisecond
	capturePoll = 50 * time.Millisecond // longer than captureAge: a quiet poll means that nothing is on its way
)

// Capture is the writing down of a node's packets, as pcapng, at its eth0:
// what it sends before any harm, what it receives after all harm. Packets are
// as the kernel hands them on: large ones not yet cut to the MTU, and the
// checksums of outgoing ones not yet filled in, where that is left to a device.
type Capture struct {
	node  *Node
	tp    *afpacket.TPacket
	w     *pcapgo.NgWriter
	owned *held
	held  hold
	stop  chan struct{}
	once  sync.Once
	done  chan struct{}
	err   error // of writing; read after done
	stats CaptureStats
}

// CaptureStats says what a capture holds.
type CaptureStats struct {
	Packets uint64
	Bytes   uint64
	Lost    uint64 // of them, marked as lost on their way
	Dropped uint64 // packets that came too fast to be kept
}

// Capture begins to write the node's packets to w, which it does not close,
// and whose writes come from one goroutine until Stop returns. It ends with
// Stop or with the network. It needs CAP_NET_RAW.
func (n *Node) Capture(ctx context.Context, w io.Writer) (*Capture, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: capture: %w", n.Name, err)
	}
	ng, err := pcapgo.NewNgWriterInterface(w, pcapgo.NgInterface{
		Name:                peerName,
		Description:         n.Name + " " + n.IP.String() + " " + n.IP6.String(),
		LinkType:            layers.LinkTypeEthernet,
		TimestampResolution: 9,
	}, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "brine"}})
	if err == nil {
		err = ng.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: capture: write header: %w", n.Name, err)
	}
	c := &Capture{node: n, w: ng, stop: make(chan struct{}), done: make(chan struct{})}
	err = n.ns.Do(func() error {
		var err error
		c.tp, err = afpacket.NewTPacket(
			afpacket.OptInterface(peerName), afpacket.TPacketVersion3,
			afpacket.OptFrameSize(4<<10), afpacket.OptBlockSize(captureBlock), afpacket.OptNumBlocks(captureBlocks),
			afpacket.OptBlockTimeout(captureAge), afpacket.OptPollTimeout(capturePoll))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: capture: open packet socket: %w", n.Name, err)
	}
	go c.run()
	if c.owned, err = n.net.sockets.hold(captureCloser{c}); err != nil {
		return nil, err
	}
	return c, nil
}

// captureCloser is what the network closes: a capture's own Stop goes through
// the network.
type captureCloser struct{ c *Capture }

func (e captureCloser) Close() error { return e.c.end() }

// Stop ends the capture. Every packet that had passed eth0 when it was called
// has been written to w, and flushed, when it returns. Stopping twice is
// harmless.
func (c *Capture) Stop() error { return c.owned.Close() }

func (c *Capture) end() error {
	c.once.Do(func() { close(c.stop) })
	<-c.done
	return c.err
}

// Stats says what was captured, once Stop has returned.
func (c *Capture) Stats() CaptureStats {
	<-c.done
	return c.stats
}

func (c *Capture) run() {
	defer close(c.done)
	defer c.tp.Close()
	begun := time.Now()
	err := c.copyPackets()
	if err == nil {
		err = c.writeHeld(never)
	}
	if err != nil {
		c.err = fmt.Errorf("%s: capture: %w", c.node.Name, err)
		return
	}
	_, kernel, err := c.tp.SocketStats()
	if err == nil {
		c.stats.Dropped = uint64(kernel.Drops())
		err = c.w.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{
			LastUpdate: time.Now(), StartTime: begun, EndTime: time.Now(),
			PacketsReceived: c.stats.Packets, PacketsDropped: c.stats.Dropped,
		})
	}
	if err = errors.Join(err, c.w.Flush()); err != nil {
		c.err = fmt.Errorf("%s: capture: %w", c.node.Name, err)
	}
}

// copyPackets takes packets until the capture is stopped and those from
// before are taken: a packet from later, or a quiet poll, tells.
func (c *Capture) copyPackets() error {
	var end, written time.Time
	for {
		data, ci, err := c.tp.ZeroCopyReadPacketData()
		select {
		case <-c.stop:
			if end.IsZero() {
				end = time.Now()
			}
		default:
		}
		switch {
		case errors.Is(err, afpacket.ErrTimeout):
			if err := errors.Join(c.writeHeld(time.Now()), c.w.Flush()); err != nil || !end.IsZero() {
				return err
			}
			continue
		case errors.Is(err, afpacket.ErrPoll):
			return nil // eth0 is gone: the node was removed
		case err != nil:
			return fmt.Errorf("read packet: %w", err)
		case !end.IsZero() && ci.Timestamp.After(end):
			return nil
		}
		c.take(data, ci)
		if now := time.Now(); now.Sub(written) > captureAge {
			written = now
			if err := c.writeHeld(now); err != nil {
				return err
			}
		}
	}
}

// take holds a packet of the node's own; the switch's probes are neither from nor to it.
func (c *Capture) take(data []byte, ci gopacket.CaptureInfo) {
	if len(data) < 14 {
		return
	}
	mac := macOf(c.node.Index)
	out := bytes.Equal(data[6:12], mac)
	if !out && data[0]&1 == 0 && !bytes.Equal(data[:6], mac) {
		return
	}
	c.held.add(ci, data, out)
}

func (c *Capture) write(p *heldPacket) error {
	p.ci.InterfaceIndex = 0 // the file's first
	if err := c.w.WritePacketWithOptions(p.ci, p.data, p.options()); err != nil {
		return fmt.Errorf("write packet: %w", err)
	}
	c.stats.Packets++
	c.stats.Bytes += uint64(p.ci.Length)
	if p.why != "" {
		c.stats.Lost++
	}
	return nil
}
