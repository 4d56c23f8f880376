package steps

// hidden is an error whose words were cleaned of secrets.
type hidden struct {
	err  error
	text string
}

func (h *hidden) Error() string { return h.text }
func (h *hidden) Unwrap() error { return h.err }

// hide takes the secrets out of an error that godog is about to print.
func hide(err error) error {
	if err == nil {
		return nil
	}
	text := current.redact(err.Error())
	if text == err.Error() {
		return err
	}
	return &hidden{err, text}
}

// redact gives text without the values of secrets that the suite has met.
func (s *session) redact(text string) string {
	if s.suite == nil {
		return text
	}
	return s.suite.Record().Redact(text)
}
