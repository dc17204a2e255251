package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const recordSuffix = ".json"

// record is what is remembered of a process. The environment is not in it, for it holds secrets.
type record struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	// PID is 0 between the decision to start and the start.
	PID int `json:"pid,omitempty"`
	// Created is the start time that the operating system tells, in milliseconds since 1970.
	Created    int64             `json:"created,omitempty"`
	Command    []string          `json:"command"`
	UID        int               `json:"uid"`
	StopSignal syscall.Signal    `json:"stop_signal,omitempty"`
	LogFile    string            `json:"log_file"`
	Labels     map[string]string `json:"labels,omitempty"`
	State      State             `json:"state"`
	StartedAt  time.Time         `json:"started_at"`
	ExitedAt   time.Time         `json:"exited_at,omitzero"`
	ExitCode   *int              `json:"exit_code,omitempty"`
	Restarts   int               `json:"restarts,omitempty"`
	NextStart  time.Time         `json:"next_start,omitzero"`
	// Killed says that the process ended under a hold.
	Killed bool `json:"killed,omitempty"`
}

func (r record) process() Process {
	return Process{
		ID: r.ID, PID: r.PID, State: r.State, StartedAt: r.StartedAt, ExitedAt: r.ExitedAt, ExitCode: r.ExitCode,
		Restarts: r.Restarts, NextStart: r.NextStart, Labels: maps.Clone(r.Labels), LogFile: r.LogFile,
	}
}

// records is a directory with one file for each record.
type records string

func (d records) path(id string) string { return filepath.Join(string(d), id+recordSuffix) }

// save replaces a record: after a crash there is the old one or the new one.
func (d records) save(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the record of process %s: %w", r.ID, err)
	}
	if err := d.replace(d.path(r.ID), data); err != nil {
		return fmt.Errorf("writing the record of process %s: %w", r.ID, err)
	}
	return nil
}

func (d records) replace(path string, data []byte) error {
	file, err := os.CreateTemp(string(d), ".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return d.sync()
}

func (d records) remove(id string) error {
	if err := os.Remove(d.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the record of process %s: %w", id, err)
	}
	return d.sync()
}

func (d records) sync() error {
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// load reads all records and clears away what a crash left half written.
func (d records) load() ([]record, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("reading process records: %w", err)
	}
	var loaded []record
	for _, entry := range entries {
		path := filepath.Join(string(d), entry.Name())
		if strings.HasPrefix(entry.Name(), ".new-") {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("removing a half-written process record: %w", err)
			}
			continue
		}
		id, isRecord := strings.CutSuffix(entry.Name(), recordSuffix)
		if !isRecord {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a process record: %w", err)
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil || r.ID != id || r.Token == "" {
			// Going on would start a second process beside one that may run.
			return nil, fmt.Errorf("the process record %s is damaged: end process %q if it runs, then remove the file", path, id)
		}
		loaded = append(loaded, r)
	}
	return loaded, nil
}
