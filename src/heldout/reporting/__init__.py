"""A run folder, or a look at the data -> figures and one page to read, print and hand on.

Requirements this folder must meet:
    - It draws, it never computes a score: every number shown stands in a file beside the page.
    - The page is one file and opens no connection; nothing in the data (a class called `<script>`, a file
      name with quotes) can run, load or break anything in it.
    - The same run folder gives the same bytes.
    - Its cost is bounded, whatever the data: at most 450 pictures, no more figures for more classes.
    - 2 to thousands of classes, no mistakes, no test part, no history, a table, a run of an earlier version: each
      gives a whole page.

Reading order:
    choose.py     which pictures are worth showing
    thumbnails.py those pictures, kept small in the run folder
    results.py    the files of a run folder -> one record
    wording.py    numbers -> words: percent, intervals, durations, sentences
    style.py      colours, the figure style, scales, SVG and PNG bytes
    curves.py     loss and accuracy against epoch, or against the L2 strength of the head
    boundary_figure.py  what is answered where, with the examples over it; one run, or several beside each other
    imbalance_figures.py  precision and recall, ROC, score against threshold, accuracy against coverage
    figures.py    confusion matrix, recall per class, reliability diagram; every figure of a run
    rules.py      bars and shades as style rules of the page
    headline.py   the one number, and what it must be read beside
    matrix.py     the confusion matrix as a table to click in
    sections.py   the record -> what each section of the page says
    imbalance_sections.py  the same for the decision, the ranking, doubt and sets of answers
    table_sections.py  the same for a table: its columns, the weights, the boundary
    rendering.py  templates that escape, and the policy that names what may run on a page
    page.py       headline, sections and the templates -> report.html
    pairs.py      which pairs of near copies are worth showing
    check_parts.py  what the pages of a check have in common
    check_page.py what a look at the data found -> check.html
    table_check_sections.py  the looks at the columns and rows of a table -> what each section of its page says
    table_check_page.py  what a look at a table found -> check.html
    compare_words.py  the numbers of a comparison -> sentences
    compare_page.py   what a comparison of two runs found -> compare.html
    sweep_measure.py   how the score that ranks is told and drawn
    sweep_results.py   the files of a sweep folder -> one record
    sweep_scales.py    how a regime looks in a figure, the scale of scores, ticks at powers of ten
    sweep_rates.py     score against learning rate
    sweep_costs.py     score against time and multiply-adds
    sweep_losses.py    the losses of all trials in small multiples
    sweep_told.py      what the figures of a sweep show, in sentences
    sweep_figures.py   every figure of a sweep
    sweep_sections.py  the record of a sweep -> what each section of its page says
    sweep_page.py      all of that and the templates -> report.html of a sweep
    templates/    the page's HTML, style and script, inlined when the page is written
"""
