package reports

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"brine.test/brine/world/record"
)

// The form is that of Cucumber's JSON formatter, as godog and cucumber-js write it and as CI plug-ins read it.
type (
	cukeFeature struct {
		URI         string        `json:"uri"`
		ID          string        `json:"id"`
		Keyword     string        `json:"keyword"`
		Name        string        `json:"name"`
		Description string        `json:"description"`
		Line        int           `json:"line"`
		Tags        []cukeTag     `json:"tags,omitempty"`
		Elements    []cukeElement `json:"elements"`
	}
	cukeElement struct {
		ID          string     `json:"id"`
		Keyword     string     `json:"keyword"`
		Type        string     `json:"type"`
		Name        string     `json:"name"`
		Description string     `json:"description"`
		Line        int        `json:"line"`
		Start       string     `json:"start_timestamp,omitempty"`
		Tags        []cukeTag  `json:"tags,omitempty"`
		Steps       []cukeStep `json:"steps"`
	}
	cukeTag struct {
		Name string `json:"name"`
		Line int    `json:"line"`
	}
	cukeStep struct {
		Keyword    string          `json:"keyword"`
		Name       string          `json:"name"`
		Line       int             `json:"line"`
		DocString  *cukeDocString  `json:"doc_string,omitempty"`
		Rows       []cukeRow       `json:"rows,omitempty"`
		Match      cukeMatch       `json:"match"`
		Result     cukeResult      `json:"result"`
		Output     []string        `json:"output,omitempty"`
		Embeddings []cukeEmbedding `json:"embeddings,omitempty"`
	}
	cukeDocString struct {
		Value       string `json:"value"`
		ContentType string `json:"content_type"`
		Line        int    `json:"line"`
	}
	cukeRow struct {
		Cells []string `json:"cells"`
	}
	cukeMatch struct {
		Location string `json:"location"`
	}
	cukeResult struct {
		Status   string `json:"status"`
		Duration int64  `json:"duration,omitempty"` // ns
		Error    string `json:"error_message,omitempty"`
	}
	cukeEmbedding struct {
		Name     string `json:"name"`
		MimeType string `json:"mime_type"`
		Data     string `json:"data"` // base64
	}
)

func cucumber(run *record.Run) ([]byte, error) {
	out := []cukeFeature{}
	for _, f := range byFeature(run) {
		id := record.Slug(f.name)
		cf := cukeFeature{URI: f.uri, ID: id, Keyword: "Feature", Name: f.name, Line: 1}
		for _, s := range f.scenarios {
			e := cukeElement{
				ID: id + ";" + s.Slug, Keyword: "Scenario", Type: "scenario", Name: s.Name, Description: s.Description, Line: s.Line,
				Start: stamp(s.Begin.Wall), Steps: []cukeStep{},
			}
			for _, t := range s.Tags {
				e.Tags = append(e.Tags, cukeTag{t, 1})
			}
			for _, st := range s.Steps {
				e.Steps = append(e.Steps, cukeStepOf(s, st))
			}
			if failure := outside(s); failure != nil {
				e.Steps = append(e.Steps, *failure)
			}
			cf.Elements = append(cf.Elements, e)
		}
		out = append(out, cf)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}

func cukeStepOf(s *record.ScenarioRun, st *record.StepRun) cukeStep {
	c := cukeStep{
		Keyword: st.Keyword, Name: st.Text, Line: st.Line, Match: cukeMatch{s.URI},
		Result: cukeResult{Status: cukeStatus(st.Status), Error: plain(st.Error)},
	}
	if st.Status == record.Passed || st.Status == record.Failed {
		c.Result.Duration = st.Nanoseconds
	}
	if st.DocString != nil {
		c.DocString = &cukeDocString{st.DocString.Content, st.DocString.MediaType, st.Line + 1}
	}
	for _, row := range st.Table {
		c.Rows = append(c.Rows, cukeRow{row})
	}
	if st.ID == "" {
		return c
	}
	c.Output = remarks(s, st)
	for _, a := range s.Attachments {
		if a.Step != st.ID {
			continue
		}
		if data := inline(a.Attachment); data != nil {
			c.Embeddings = append(c.Embeddings, cukeEmbedding{a.Name, mediaType(a.Attachment), base64.StdEncoding.EncodeToString(data)})
		}
	}
	return c
}

// outside is a made-up last step for a scenario that failed although each of its steps passed: this format has no other place.
func outside(s *record.ScenarioRun) *cukeStep {
	t := explain(s)
	if t == nil || t.Step != nil {
		return nil
	}
	return &cukeStep{
		Keyword: "After", Name: "", Line: s.Line, Match: cukeMatch{s.URI},
		Result: cukeResult{Status: cukeStatus(record.Failed), Error: plain(strings.Join(t.lines(), "\n"))},
	}
}

// cukeStatus has no word for what a killed run left open.
func cukeStatus(s record.Status) string {
	if s == record.Unfinished {
		return string(record.Failed)
	}
	return string(s)
}

// inline is the content of an attachment that is not a file.
func inline(a record.Attachment) []byte {
	if a.Text != "" {
		return []byte(a.Text)
	}
	return a.Data
}

func mediaType(a record.Attachment) string {
	if a.MediaType == "" {
		return "text/plain"
	}
	return a.MediaType
}
