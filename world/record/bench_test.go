package record

import (
	"path/filepath"
	"testing"
)

func benchmark(b *testing.B, secrets int) {
	rec, err := Open(filepath.Join(b.TempDir(), "events.jsonl"), RunInfo{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range secrets {
		rec.AddSecret(string(rune('a'+i)) + " secret of some length")
	}
	sc := rec.Scenario(ScenarioInfo{Name: "bench"})
	b.ReportAllocs()
	for b.Loop() {
		sc.Operation(Operation{Client: "client 1", Workload: "registers", Kind: "write", Node: "node1", Key: "r1", Value: "17", Outcome: OutcomeOK, Start: 1, End: 2})
	}
	if err := rec.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOperation(b *testing.B)            { benchmark(b, 0) }
func BenchmarkOperationWithSecrets(b *testing.B) { benchmark(b, 3) }
