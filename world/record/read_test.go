package record

import (
	"errors"
	"strings"
	"testing"
)

const header = `{"seq":1,"mono":1,"wall":1,"type":"run.begin","run":{"schema":1,"id":"a","base":{"mono":1,"wall":1},"seed":"1","machine":{},"selection":{}}}` + "\n"

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "blank": "\n\n", "other": `{"type":"note"}` + "\n", "half a header": `{"seq":1,"type":"run.be`,
	} {
		if _, err := Decode(strings.NewReader(text)); !errors.Is(err, ErrNoRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(strings.NewReader(header + "{broken\n" + header)); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("broken in the middle: %v", err)
	}
	newer := strings.Replace(header, `"schema":1`, `"schema":99`, 1)
	if _, err := Decode(strings.NewReader(newer)); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("newer: %v", err)
	}
}

func TestUnknownEventsArePassedOver(t *testing.T) {
	run, err := Decode(strings.NewReader(header +
		`{"seq":2,"mono":2,"wall":2,"type":"volcano","scenario":"a-1","lava":true}` + "\n" +
		`{"seq":3,"mono":3,"wall":3,"type":"step.end","scenario":"a-1","step":"a-1.9","result":{"status":"passed"}}` + "\n" +
		`{"seq":4,"mono":4,"wall":4,"type":"harm.end","scenario":"a-1","healed":{"id":"a-1.h9"}}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if run.Events != 4 || len(run.Scenarios) != 1 || run.Scenarios[0].Status != Unfinished {
		t.Errorf("%+v", run)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(header)
	f.Add(header + `{"seq":2,"type":"scenario.begin","scenario":"a-1","scenario_info":{"id":"b","steps":[{"text":"x"}],"seed":"7"}}`)
	f.Add(header + `{"type":"step.begin","scenario":"a-1","step_info":{}}` + "\n" + `{"type":"position","scenario":"a-1","position":{}}` + "\n{")
	f.Fuzz(func(t *testing.T, text string) {
		run, err := Decode(strings.NewReader(text))
		if err != nil {
			return
		}
		if run.Events == 0 {
			t.Fatal("a record without events was taken")
		}
		_, _ = run.OK(), run.Count()
		for _, s := range run.Scenarios {
			_, _ = s.FailedStep(), s.TouchedNothing()
			if s.Status == "" {
				t.Fatal("a scenario without status")
			}
		}
	})
}
