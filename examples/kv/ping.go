package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"time"
)

// ping sends datagrams to a host's echo port and says what came back:
//
//	kv ping --count=100 --size=100 --every=1ms --wait=300ms [--family=6] node2
//	100 sent, 97 back, 3 lost in 2 runs, 0 changed, 0 twice, 0 out of order; ms: 0.2 least, 0.3 median, 1.1 most
func ping(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("ping", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	count := flags.Int("count", 10, "datagrams")
	size := flags.Int("size", 100, "bytes each, from 24")
	every := flags.Duration("every", time.Millisecond, "between two")
	wait := flags.Duration("wait", 300*time.Millisecond, "for the last echoes")
	family := flags.String("family", "", "4 or 6; none: what the name gives")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 || *size < datagramHead || *count < 1 {
		return fmt.Errorf("%w", errUsage)
	}
	dialer := net.Dialer{Timeout: peerTimeout}
	conn, err := dialer.DialContext(ctx, "udp"+*family, net.JoinHostPort(flags.Arg(0), echoPort))
	if err != nil {
		return err
	}
	defer conn.Close()
	p := pinger{conn: conn, began: time.Now(), back: map[uint64]bool{}}
	done := make(chan error, 1)
	go func() { done <- p.listen(*count) }()
	tick := time.NewTicker(*every)
	defer tick.Stop()
	for n := range *count {
		if _, err := conn.Write(p.datagram(uint64(n), *size)); err != nil {
			return err
		}
		<-tick.C
	}
	if err := conn.SetReadDeadline(time.Now().Add(*wait)); err != nil {
		return err
	}
	if err := <-done; err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	p.tell(stdout, *count)
	return nil
}

// datagramHead is a number, the time it was sent at, and a checksum of what follows.
const datagramHead = 24

// pinger is one side of the conversation; its listener alone writes to what it counts.
type pinger struct {
	conn    net.Conn
	began   time.Time
	back    map[uint64]bool
	latest  uint64
	changed int
	twice   int
	late    int
	took    []time.Duration
}

func (p *pinger) datagram(n uint64, size int) []byte {
	b := make([]byte, size)
	for at := datagramHead; at < size; at++ {
		b[at] = byte(rand.Uint32())
	}
	binary.BigEndian.PutUint64(b, n)
	binary.BigEndian.PutUint64(b[8:], uint64(time.Since(p.began)))
	sum := crc32.ChecksumIEEE(append(bytes.Clone(b[:16]), b[datagramHead:]...))
	binary.BigEndian.PutUint64(b[16:], uint64(sum))
	return b
}

// listen reads echoes until all are back, or the deadline.
func (p *pinger) listen(count int) error {
	buf := make([]byte, 64<<10)
	for len(p.back)+p.changed < count {
		n, err := p.conn.Read(buf)
		if err != nil {
			return err
		}
		p.heard(buf[:n])
	}
	return nil
}

func (p *pinger) heard(b []byte) {
	if len(b) < datagramHead || uint64(crc32.ChecksumIEEE(append(bytes.Clone(b[:16]), b[datagramHead:]...))) != binary.BigEndian.Uint64(b[16:]) {
		p.changed++
		return
	}
	n := binary.BigEndian.Uint64(b)
	if p.back[n] {
		p.twice++
		return
	}
	p.back[n] = true
	if n < p.latest {
		p.late++
	}
	p.latest = max(p.latest, n)
	p.took = append(p.took, time.Since(p.began)-time.Duration(binary.BigEndian.Uint64(b[8:])))
}

// runs is how many times one or more datagrams in a row did not come back.
func (p *pinger) runs(sent int) int {
	runs := 0
	for n := range uint64(sent) {
		if !p.back[n] && (n == 0 || p.back[n-1]) {
			runs++
		}
	}
	return runs
}

func (p *pinger) tell(w io.Writer, sent int) {
	fmt.Fprintf(w, "%d sent, %d back, %d lost in %d runs, %d changed, %d twice, %d out of order",
		sent, len(p.back), sent-len(p.back)-p.changed, p.runs(sent), p.changed, p.twice, p.late)
	if len(p.took) > 0 {
		slices.Sort(p.took)
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		fmt.Fprintf(w, "; ms: %.1f least, %.1f median, %.1f most", ms(p.took[0]), ms(p.took[len(p.took)/2]), ms(p.took[len(p.took)-1]))
	}
	fmt.Fprintln(w)
}

// push sends bytes to a host's echo port over TCP, reads them back, and says how long that took:
//
//	kv push --kib=64 [--family=6] node2
//	64 KiB there and back in 1.2s
func push(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("push", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	kib := flags.Int("kib", 64, "KiB")
	family := flags.String("family", "", "4 or 6; none: what the name gives")
	wait := flags.Duration("wait", 10*time.Second, "for all")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return fmt.Errorf("%w", errUsage)
	}
	dialer := net.Dialer{Timeout: min(*wait, 2*time.Second)}
	conn, err := dialer.DialContext(ctx, "tcp"+*family, net.JoinHostPort(flags.Arg(0), echoPort))
	if err != nil {
		return err
	}
	defer conn.Close()
	began := time.Now()
	if err := conn.SetDeadline(began.Add(*wait)); err != nil {
		return err
	}
	sent := make([]byte, *kib<<10)
	for at := range sent {
		sent[at] = byte(rand.Uint32())
	}
	got := make([]byte, len(sent))
	done := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(conn, got)
		done <- err
	}()
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	if !bytes.Equal(sent, got) {
		return errors.New("other bytes came back than were sent")
	}
	fmt.Fprintf(stdout, "%d KiB there and back in %s\n", *kib, time.Since(began).Round(time.Millisecond))
	return nil
}

// lookup resolves a name and says how long that took.
func lookup(ctx context.Context, name string, stdout io.Writer) error {
	began := time.Now()
	addrs, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is %v after %d ms\n", name, addrs, time.Since(began).Milliseconds())
	return nil
}
