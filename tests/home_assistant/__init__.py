"""Live tests: real Home Assistant processes, driven over HTTP and WebSocket, read simulated meters."""
