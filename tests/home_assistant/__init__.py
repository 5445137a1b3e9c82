"""Live tests: real Home Assistants, driven over HTTP and WebSocket, read simulated meters."""
