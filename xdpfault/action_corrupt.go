package xdpfault

// Corrupt flips a bit of a share of the packets. The receiver's checksum
// fails and its kernel drops them; with Undetected the checksum is mended and
// the application gets changed data.
//
// Undetected corruption needs payload and a whole packet: bare TCP
// acknowledgements and later fragments pass unchanged although they count.
type Corrupt struct {
	Share      float64 // 0 to 1
	Undetected bool
}

func (c Corrupt) encode(k *verdictRule) error {
	k.Action = actCorrupt
	if c.Undetected {
		k.Flags |= ruleUndetected
	}
	return encodeShare(k, "corruption", c.Share)
}

func (Corrupt) perWirePacket() {}

// pass flips a bit in the delay line: outside it, checksums are left to
// offload, and no receiver would verify them.
func (Corrupt) pass(_ *stage, p *packet) bool {
	p.corrupt()
	return true
}
