// Package client is the typed client of synapsed's HTTP API.
//
// It retries what is safe to retry, with jitter, and gives up with the server's last answer. Every failure is an
// [*Error] whose text says what to do; where the server sent a problem document, [errors.As] finds the
// [*synapse.Problem] behind it. Tokens and passwords appear in no error and no log line.
package client
