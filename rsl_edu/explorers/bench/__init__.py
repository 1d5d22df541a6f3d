"""The shared code of all explorers: states, controls, figure, widget and page. It imports no explorer."""
