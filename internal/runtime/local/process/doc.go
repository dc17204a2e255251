// Package process supervises operating system processes that outlive the daemon that started them.
//
// Every process has a stable ID and a record on disk. The record is written before the process is started, with a random
// token that the process carries in its environment ([MarkerEnv]), and completed with the pid afterwards. A daemon that was
// killed at any moment can therefore be started again: [Open] adopts what still runs, recognised by its token or its start
// time and never by the pid alone, and [Supervisor.Ensure] starts only what does not.
//
// No process can escape between its start and its record: a child that was forked but has not yet become its program holds
// a copy of the lock on the directory, so that the next daemon's Open waits until it carries its token.
//
// Processes run in a session of their own. Signals to the daemon's terminal do not reach them.
package process
