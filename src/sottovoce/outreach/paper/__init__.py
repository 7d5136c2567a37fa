"""What travels where sites are blocked: pages that are one file, leaflets, ZIPs to pass on, mirrors, the press page.

They tell the way and never take anything in: no form, no script, no request, no link that leads elsewhere.

    paths.py    names of calls on the door               content.py  what one language's papers say
    onefile.py  the page that is one file                words.py    fixed sentences, six languages
    leaflet.py  sheets to print, as PDF                  days.py     days as each language writes them
    pass_on.py  a ZIP for messengers                     looks.py    templates and their one style sheet
    mirror.py   a folder for any web space               press.py    what is ours, and what is not
    steps.py    all of it as steps of a build
"""
