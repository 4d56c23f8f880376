package xdpfault

import "fmt"

// Drop drops every packet.
type Drop struct{}

func (Drop) encode(k *verdictRule) error { k.Action = actDrop; return nil }

// Loss drops a share of the packets, each by its own draw, or in bursts.
//
// With Burst above 1 it is a Gilbert-Elliott channel (Gilbert 1960, Elliott
// 1963) whose bad state loses everything: bursts have a geometric length with
// mean Burst, and the long-run loss is Share.
type Loss struct {
	Share float64 // 0 to 1
	Burst float64 // mean packets in a row; 0 or 1: independent
}

func (l Loss) encode(k *verdictRule) error {
	k.Action = actLoss
	if err := encodeShare(k, "loss", l.Share); err != nil {
		return err
	}
	if l.Burst == 0 || l.Burst == 1 {
		return nil
	}
	if l.Burst < 1 {
		return fmt.Errorf("loss: bursts of %g packets: want at least 1", l.Burst)
	}
	if l.Share >= 1 {
		return nil // always bad
	}
	leave := 1 / l.Burst
	enter := leave * l.Share / (1 - l.Share)
	if enter > 1 {
		return fmt.Errorf("loss: a share of %g cannot come in bursts of %g\nhint: longer bursts, or a share up to %g", l.Share, l.Burst, l.Burst/(l.Burst+1))
	}
	k.Share, k.Leave = of32(enter), of32(leave)
	return nil
}

func (Loss) perWirePacket() {}

// encodeShare sets the threshold of an independent draw.
func encodeShare(k *verdictRule, what string, share float64) error {
	if !(share >= 0 && share <= 1) {
		return fmt.Errorf("%s: share %g: want 0 to 1", what, share)
	}
	k.Share = of32(share)
	return nil
}

// of32 is a share of 2^32, the range of a draw.
func of32(share float64) uint64 { return uint64(share*(1<<32) + 0.5) }
