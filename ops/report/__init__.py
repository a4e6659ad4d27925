"""Reports on paper: one HTML file each, charts drawn here as SVG, nothing loaded from anywhere."""
