"""The shared code of all explorers: states and controls, the figure, the widget and the page. Imports no explorer."""
