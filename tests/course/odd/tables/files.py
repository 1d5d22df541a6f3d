"""Formats of the file: versions of nbformat, hosts, encodings, and files that are damaged."""

import copy
import json
import re

import nbformat

from ..cells import Cell, Entry

UNREADABLE = "https://github.com/jupyter/help/issues/171"
COLAB = "https://github.com/googlecolab/colabtools/issues/5288"
CODE = "https://github.com/microsoft/vscode-jupyter/issues/5889"
IDS = "https://github.com/OpenBioLink/ThoughtSource/issues/128"
UTF16 = "https://github.com/jupyter/nbdime/pull/506"
BOM = "https://github.com/microsoft/markitdown/pull/2425"
LATIN = "https://github.com/jupyter/notebook/issues/3510"
LARGE = "https://github.com/udacity/aitnd-issues/issues/49"
COMMA = "https://github.com/udacity/CarND-LaneLines-P1/pull/42"
FORMAT = "https://nbformat.readthedocs.io/en/latest/format_description.html"


def written(change=lambda notebook: None, **options):
    """Change the notebook in place, and write it."""

    def form(notebook):
        notebook = copy.deepcopy(notebook)
        change(notebook)
        return json.dumps(notebook, **{"indent": 1, **options}).encode()

    return form


def of_text(change):
    """Write the notebook, and change the text."""
    return lambda notebook: change(json.dumps(notebook, indent=1, ensure_ascii=False))


def each(change, kinds=("code", "markdown", "raw")):
    """Change each cell in place, and write."""

    def cells(notebook):
        for place, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] in kinds:
                change(cell, place)

    return written(cells)


def minor(number):
    """Write as nbformat 4.x: no ids of cells before 4.5."""

    def change(notebook):
        notebook["nbformat_minor"] = number
        for cell in notebook["cells"]:
            del cell["id"]

    return written(change)


def three(notebook):
    """Write as nbformat 3: worksheets, ``input`` and ``prompt_number``."""
    old = nbformat.convert(nbformat.reads(json.dumps(notebook), as_version=4), 3)
    return json.dumps(old).encode()


def two(notebook):
    """Write as nbformat 2."""
    old = json.loads(three(notebook))
    old["nbformat"], old["nbformat_minor"] = 2, 0
    return json.dumps(old).encode()


def metadata(**values):
    """Write with other metadata."""
    return written(lambda notebook: notebook.__setitem__("metadata", values))


def colab(notebook):
    notebook["metadata"] = {
        "accelerator": "GPU",
        "colab": {"name": "robots.ipynb", "provenance": [], "toc_visible": True, "gpuType": "T4"},
        "kernelspec": {"display_name": "Python 3", "name": "python3"},
        "language_info": {"name": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"0a1b": {"model_module": "@jupyter-widgets/base"}}},
    }
    notebook["nbformat_minor"] = 0
    for place, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": f"x{place}", "colab": {"base_uri": "https://localhost:8080/"}, "outputId": "a-b"}
        del cell["id"]


def kaggle(cell, place):
    cell["metadata"] |= {
        "_uuid": f"{place:040x}",
        "_cell_guid": f"b1076dfc-{place}",
        "trusted": True,
        "_kg_hide-input": True,
    }


def code(cell, place):
    cell["metadata"] |= {"vscode": {"languageId": "python"}}
    cell["execution_count"] = None


def databricks(cell, place):
    cell["metadata"] |= {"application/vnd.databricks.v1+cell": {"title": "", "showTitle": False, "nuid": f"{place}"}}


def deepnote(cell, place):
    cell["metadata"] |= {
        "cell_id": f"{place:032x}",
        "deepnote_cell_type": "code",
        "source_hash": "b623e53d",
        "execution_millis": 3,
    }


def without_newlines(cell, place):
    cell["source"] = [line.rstrip("\n") for line in cell["source"]]


def pictures(cell, place):
    picture = {"image/png": "iVBORw0KGgo" * 100_000, "text/plain": ["<Figure>"]}
    cell["outputs"] = [{"output_type": "display_data", "data": picture, "metadata": {}}]


def long_text(cell, place):
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["a line\n"] * 100_000}]


def not_a_number(cell, place):
    value = {
        "output_type": "execute_result",
        "execution_count": 1,
        "data": {"application/json": float("nan")},
        "metadata": {},
    }
    cell["outputs"] = [value]


def as_script(notebook):
    """The light or percent script that other tools make of a notebook."""
    parts = ["# %%\n" + "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return "\n\n".join(["# ---\n# jupyter:\n#   jupytext: {}\n# ---", *parts]).encode()


def as_markdown(notebook):
    """A document with fenced code."""
    parts = [
        "```python\n" + "".join(cell["source"]) + "\n```" for cell in notebook["cells"] if cell["cell_type"] == "code"
    ]
    return "\n\n".join(parts).encode()


def conflict(text):
    return re.sub(r'("nbformat_minor": 5)', "<<<<<<< HEAD\n\\1\n=======\n\\1\n>>>>>>> ada", text).encode()


def fields(cells):
    """Form fields and titles, as Colab writes them into code."""
    return [
        Cell("own", '#@title Settings { run: "auto" }\nsteps = 5 #@param {type:"slider", min:1, max:9, step:1}'),
        *cells,
    ]


def set_all(**values):
    return lambda cell, place: cell.update(values)


ENTRIES = [
    # Versions
    *[Entry(f"nbformat_3_{number}", number, form=three, source=FORMAT) for number in (1, 4)],
    Entry("nbformat_2", 2, form=two, source=FORMAT),
    *[Entry(f"nbformat_4_{number}", 1 + number % 3, form=minor(number), source=FORMAT) for number in (0, 1, 2, 4)],
    Entry("nbformat_4_4_with_ids", 5, form=written(lambda n: n.update(nbformat_minor=4)), source=IDS),
    Entry("nbformat_4_9", 3, form=written(lambda n: n.update(nbformat_minor=9)), source=FORMAT, note="of the future"),
    Entry(
        "nbformat_5",
        3,
        form=written(lambda n: n.update(nbformat=5, nbformat_minor=0)),
        source=FORMAT,
        note="of the future",
    ),
    Entry("no_nbformat", 2, form=written(lambda n: (n.pop("nbformat"), n.pop("nbformat_minor"))), source=FORMAT),
    Entry("no_minor", 2, form=written(lambda n: n.pop("nbformat_minor")), source=FORMAT),
    # Sources
    Entry("sources_as_strings", 4, form=each(lambda c, _: c.update(source="".join(c["source"]))), source=FORMAT),
    Entry(
        "sources_without_newlines",
        1,
        form=each(without_newlines),
        note="Jupyter joins the lines into one: syntax errors",
    ),
    Entry(
        "sources_of_many_pieces",
        2,
        form=each(lambda c, _: c.update(source=re.findall(r"(?s).{1,7}", "".join(c["source"])))),
    ),
    Entry("sources_that_are_null", 3, {"end": ["x = 1"]}, form=written(lambda n: n["cells"][-1].update(source=None))),
    Entry(
        "sources_with_crlf",
        4,
        form=each(lambda c, _: c.update(source=[s.replace("\n", "\r\n") for s in c["source"]])),
        source=LATIN,
    ),
    Entry(
        "sources_with_cr",
        2,
        form=each(lambda c, _: c.update(source="".join(c["source"]).replace("\n", "\r")), ("code",)),
        note="line ends of old Macs",
    ),
    # Hosts
    Entry("colab_file", 1, then=fields, form=written(colab), source=COLAB, note="widgets without a state"),
    Entry(
        "colab_file_of_4",
        4,
        {"merge_moments": '#@title Merge { display-mode: "form" }\nCELL'},
        then=fields,
        form=written(colab),
        source=COLAB,
    ),
    Entry("kaggle_file", 2, form=each(kaggle), source="https://www.kaggle.com/docs/notebooks"),
    Entry("vscode_file", 3, form=each(code, ("code",)), source=CODE),
    Entry(
        "vscode_file_without_a_kernel",
        1,
        form=metadata(),
        source="https://github.com/microsoft/vscode-jupyter/issues/5524",
    ),
    Entry(
        "vscode_kernel_name",
        4,
        form=metadata(
            kernelspec={"name": "python388jvsc74a57bd040b9", "display_name": "Python 3.8.8 64-bit"}, orig_nbformat=2
        ),
        source=CODE,
    ),
    Entry("databricks_file", 5, form=each(databricks)),
    Entry(
        "databricks_source",
        2,
        {"end": ["# MAGIC %md hello", "dbutils.library.restartPython()", "# COMMAND ----------"]},
    ),
    Entry("deepnote_file", 4, form=each(deepnote)),
    Entry(
        "pycharm_file",
        1,
        {"top": "#%%\n", "dead_fraction": "#%%\nCELL"},
        form=metadata(kernelspec={"name": "pycharm-1a2b", "display_name": "PyCharm (robots)", "language": "python"}),
    ),
    Entry(
        "another_kernel",
        2,
        form=metadata(kernelspec={"name": "ir", "display_name": "R", "language": "R"}),
        note="Jupyter asks which kernel to take",
    ),
    Entry(
        "python_2_kernel",
        3,
        form=metadata(kernelspec={"name": "python2", "display_name": "Python 2", "language": "python"}),
        source="https://github.com/jupyter/nbgrader/issues/416",
    ),
    # Fields
    Entry("no_counts", 1, form=each(set_all(execution_count=None), ("code",))),
    Entry(
        "no_outputs",
        2,
        form=each(lambda c, _: (c.pop("outputs"), c.pop("execution_count")), ("code",)),
        source="https://github.com/snakemake/snakemake/issues/718",
    ),
    Entry(
        "outputs_of_text",
        2,
        form=each(set_all(outputs=[]), ("markdown",)),
        source="https://github.com/snakemake/snakemake/issues/718",
    ),
    Entry("no_metadata_of_cells", 4, form=each(lambda c, _: c.pop("metadata"))),
    Entry("no_metadata_at_all", 3, form=written(lambda n: n.pop("metadata"))),
    Entry("metadata_that_is_null", 5, form=written(lambda n: n.update(metadata=None))),
    Entry("ids_twice", 1, form=each(set_all(id="same")), source=IDS),
    Entry("ids_that_are_not_allowed", 1, form=each(lambda c, p: c.update(id=f"a cell / {p} " + "x" * 80)), source=IDS),
    Entry(
        "nbgrader_metadata_odd",
        4,
        form=each(
            lambda c, _: c["metadata"].update(
                nbgrader={"grade": True, "solution": True, "grade_id": 7, "points": "six"}
            )
        ),
    ),
    Entry(
        "hidden_and_tagged",
        5,
        form=each(
            lambda c, _: c["metadata"].update(
                tags=["demo", "hide-input"],
                collapsed=True,
                scrolled=False,
                deletable=False,
                jupyter={"source_hidden": True},
            )
        ),
        note="the tag demo on all cells",
    ),
    Entry(
        "all_cells_not_editable",
        2,
        form=each(lambda c, _: c["metadata"].update(editable=False, slideshow={"slide_type": "skip"})),
    ),
    Entry(
        "skipped_by_a_tag",
        1,
        form=each(lambda c, _: c["metadata"].update(tags=["raises-exception", "skip-execution"]), ("code",)),
    ),
    Entry("a_cell_of_no_type", 3, {"end": ["x = 1"]}, form=written(lambda n: n["cells"][-1].pop("cell_type"))),
    Entry(
        "a_cell_of_an_unknown_type",
        3,
        {"end": ["x = 1"]},
        form=written(lambda n: n["cells"][-1].update(cell_type="sql")),
    ),
    Entry(
        "a_heading_cell",
        1,
        form=written(
            lambda n: n["cells"].insert(0, {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Robots"]})
        ),
    ),
    Entry("attachments", 4, form=each(set_all(attachments={"a.png": {"image/png": "iVBORw0KGgo="}}), ("markdown",))),
    # Outputs
    Entry("pictures_of_11_megabytes", 1, form=each(pictures, ("code",)), source=LARGE),
    Entry("pictures_of_11_megabytes_in_4", 4, form=each(pictures, ("code",)), source=LARGE),
    Entry("outputs_of_a_million_lines", 2, form=each(long_text, ("code",)), source=LARGE),
    Entry(
        "not_a_number_in_outputs", 5, form=each(not_a_number, ("code",)), note="NaN is not JSON, but Python reads it"
    ),
    Entry("outputs_that_are_damaged", 2, form=each(set_all(outputs=[{"output_type": "error"}, 3, None]), ("code",))),
    # Encodings
    Entry("raw_utf_8", 3, form=of_text(str.encode)),
    Entry("one_line", 1, form=written(indent=None, separators=(",", ":"))),
    Entry("crlf_in_the_file", 4, form=of_text(lambda text: text.replace("\n", "\r\n").encode())),
    Entry("a_byte_order_mark_in_the_file", 1, form=of_text(lambda text: text.encode("utf-8-sig")), source=BOM),
    Entry("utf_16", 4, form=of_text(lambda text: text.encode("utf-16")), source=UTF16),
    Entry("latin_1", 2, form=of_text(lambda text: text.encode("latin-1", "replace")), source=LATIN),
    Entry(
        "windows_1252",
        5,
        {"gaussian_kl": "# l\u2019\u00e9cart \u2013 curly\nCELL"},
        form=of_text(lambda text: text.encode("cp1252", "replace")),
        source=LATIN,
    ),
    # Damaged
    Entry(
        "a_comma_too_many",
        1,
        form=of_text(lambda text: text.replace('"nbformat_minor": 5', '"nbformat_minor": 5,').encode()),
        source=COMMA,
    ),
    Entry("a_conflict_in_the_file", 4, form=of_text(conflict), source=UNREADABLE),
    Entry("cut_off", 2, form=of_text(lambda text: text[: len(text) * 2 // 3].encode()), source=UNREADABLE),
    Entry(
        "zeros_at_the_end",
        3,
        form=of_text(lambda text: text.encode() + b"\0" * 512),
        source="https://github.com/jupyter/help/issues/171",
    ),
    Entry("a_second_file_after_it", 1, form=of_text(lambda text: (text + text).encode()), source=UNREADABLE),
    Entry("empty", 1, form=lambda notebook: b"", source=UNREADABLE),
    Entry("only_a_bracket", 2, form=lambda notebook: b"{}"),
    Entry("a_list_of_cells", 3, form=lambda notebook: json.dumps(notebook["cells"]).encode()),
    Entry("no_cells", 4, form=written(lambda n: n.update(cells=[]))),
    Entry("a_script", 1, form=as_script, source="https://jupytext.readthedocs.io/en/latest/formats-scripts.html"),
    Entry("a_document", 2, form=as_markdown, source="https://jupytext.readthedocs.io/en/latest/formats-markdown.html"),
    Entry(
        "a_page",
        5,
        form=lambda notebook: b"<!DOCTYPE html><html><body>1_mlp</body></html>",
        note="saved from the browser",
    ),
]
