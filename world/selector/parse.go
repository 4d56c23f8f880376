package selector

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	between = regexp.MustCompile(`\s*,\s*(?:and\s+)?|\s+and\s+`)
	random  = regexp.MustCompile(`^(\d+) random nodes?$`)
	ofWhat  = regexp.MustCompile(`^(the leader|the followers|a follower|the old leader|a (?:minority|majority) with(?:out)? the leader) of (.+)$`)
)

// phrases are the ways to write a selector that hold no name.
var phrases = map[string]Selector{
	"all nodes":       {Kind: All},
	"every node":      {Kind: All},
	"each node":       {Kind: All},
	"the other nodes": {Kind: Others},
	"the other node":  {Kind: Others},

	"the leader":     {Kind: Leader},
	"the followers":  {Kind: Followers},
	"a follower":     {Kind: AFollower},
	"the old leader": {Kind: OldLeader},

	"a random node": {Kind: Random, N: 1},

	"a minority":                    {Kind: Minority},
	"a minority with the leader":    {Kind: Minority, WithLeader: true},
	"a minority without the leader": {Kind: Minority, WithoutLeader: true},
	"a majority":                    {Kind: Majority},
	"a majority with the leader":    {Kind: Majority, WithLeader: true},
	"a majority without the leader": {Kind: Majority, WithoutLeader: true},

	"the isolated node":  {Kind: Isolated},
	"the isolated nodes": {Kind: Isolated},
	"the killed node":    {Kind: Killed},
	"the killed nodes":   {Kind: Killed},
	"the paused node":    {Kind: Paused},
	"the paused nodes":   {Kind: Paused},

	"the clients": {Kind: Clients},
}

const forms = "hint: write a node's name, names joined by commas and `and`, `all nodes`, `the other nodes`, `the leader`, " +
	"`the followers`, `a follower`, `the old leader`, `a random node`, `2 random nodes`, `a minority`, `a majority`, " +
	"`zone az1`, `the isolated nodes`, `the killed nodes`, `the paused nodes`, `redis on node1`, or `the clients`"

// Parse reads the words of a selector. Blanks count as one; letters count as they are. The error says what is wrong and,
// on a second line, what may be written.
func Parse(text string) (Selector, error) {
	words := strings.Join(strings.Fields(text), " ")
	service, who, found := strings.Cut(words, " on ")
	if !found {
		service, who = "", words
	} else if err := CheckName(service); err != nil {
		return Selector{}, fmt.Errorf("%q: no service before \"on\": %w", words, err)
	}
	s, err := parseList(who)
	if err != nil {
		return Selector{}, err
	}
	if service != "" {
		for _, one := range s.Each() {
			if one.Kind == Clients {
				return Selector{}, fmt.Errorf("%q: the clients run no service\n%s", words, forms)
			}
		}
	}
	s.Service, s.Text = service, words
	return s, nil
}

func parseList(words string) (Selector, error) {
	items := between.Split(words, -1)
	parts := make([]Selector, len(items))
	var names []string
	for i, item := range items {
		part, err := parseOne(item)
		if err != nil {
			return Selector{}, err
		}
		part.Text = item
		parts[i] = part
		names = append(names, part.Names...)
	}
	if err := noneTwice(items); err != nil {
		return Selector{}, err
	}
	switch {
	case len(parts) == 1:
		return parts[0], nil
	case len(names) == len(parts):
		return Selector{Kind: Named, Names: names}, nil
	}
	return Selector{Kind: List, Parts: parts}, nil
}

func parseOne(words string) (Selector, error) {
	if s, ok := phrases[words]; ok {
		return s, nil
	}
	if m := random.FindStringSubmatch(words); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 {
			return Selector{}, fmt.Errorf("%q: the number of random nodes begins at 1", words)
		}
		return Selector{Kind: Random, N: n}, nil
	}
	if m := ofWhat.FindStringSubmatch(words); m != nil {
		s := phrases[m[1]]
		s.Of = m[2]
		return s, CheckName(s.Of)
	}
	if zone, ok := strings.CutPrefix(words, "zone "); ok {
		return Selector{Kind: Zone, Zone: zone}, CheckName(zone)
	}
	if CheckName(words) != nil {
		return Selector{}, unknown(words)
	}
	return Selector{Kind: Named, Names: []string{words}}, nil
}

func noneTwice(items []string) error {
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if seen[item] {
			return fmt.Errorf("%q: named twice in one list", item)
		}
		seen[item] = true
	}
	return nil
}
