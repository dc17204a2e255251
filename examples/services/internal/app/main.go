package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
)

// Service is what one service adds to what all have in common.
type Service struct {
	Name    string
	Version string
	Tables  []Table
	// Routes adds the service's routes.
	Routes func(s *Server, db *Databases, config Config) error
}

// Main runs a service until SIGTERM or SIGINT and returns the exit status.
func Main(service Service, getenv func(string) string, stderr io.Writer) int {
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, service, getenv, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, service Service, getenv func(string) string, log *slog.Logger) error {
	config, err := ReadConfig(getenv, service.Name, service.Version)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	db, err := NewDatabases(config.DatabaseURL, service.Tables)
	if err != nil {
		return err
	}
	defer db.Close()
	server := NewServer(config, db, log)
	if err := service.Routes(server, db, config); err != nil {
		return err
	}
	return server.Run(ctx)
}
