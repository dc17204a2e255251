// Package measure works out what a drill's client saw: how long service was away, which writes were lost, and the figures
// and the timeline of the report. Everything in it is a pure function of samples.
package measure
