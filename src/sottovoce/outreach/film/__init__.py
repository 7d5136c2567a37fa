"""Films of a call: drawn or taken from a master film, with captions, sound and an end card, one file a platform.

A frame is a pure function of scene, time, camera and shape. What several films share is made once: a body is drawn
once a shape for all its encodings, a sound is encoded once, end cards are joined without encoding anything again.

    renditions.py  what is made of what, as steps          sizes.py      shapes, frames a second, the card's time
    version.py     a video in one language                 quality.py    how finely, within a platform's bytes
    sources.py     whose pictures: a storyboard's, or      master.py     a master film, fitted into other shapes
    storyboard.py  which scenes are on the screen          camera.py     where the camera is
    scene.py       a drawing, or a picture                 motion.py     what moves in a drawing
    overlay.py     a drawing over all scenes, its words    outline.py    text as shapes
    paint.py       a frame's text as pixels                encode.py     one source, split into encodings
    bodies.py      the encodings that a shape needs        cards.py      end cards as moving pictures
    captions.py    what is burnt into a film               ass.py        in libass's words
    letters.py     a language's letters in pictures        wrap.py       where a line may break
    sidecar.py     captions as a file beside a film        fonts.py      typefaces and the width of text
    endcard.py     name, address, QR code, advice          compose.py    its lines in their places
    layout.py      where each thing stands on it           legible.py    whether a phone's owner can read it
    qr.py          the code                                thumbnail.py  the picture that stands for a film
    sound.py       the whole sound of a storyboard         voice.py      its lines       bed.py  what is beneath
    tracks.py      which sound a language hears            loudness.py   one loudness for all
    join.py        body, card and sound as one file        run.py        the programs that do the work
"""
