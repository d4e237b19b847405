"""The console's API for programs: what pages show and change, as JSON, with an OpenAPI description of itself."""
