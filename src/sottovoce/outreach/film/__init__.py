"""Films of a call: drawn or taken from a master film, with captions, sound and an end card, one file a platform.

A frame is a pure function of scene, time, camera and shape. What several films share is made once: a body is drawn
once a shape for all its encodings, a sound is encoded once, end cards are joined without encoding anything again.

    renditions.py  what is made of what, as steps          sizes.py     shapes, frames a second, the card's time
    storyboard.py  which scenes are on the screen          master.py    a master film, fitted into other shapes
    scene.py       a drawing with its movements            camera.py    where the camera is
    outline.py     text as shapes                          paint.py     a frame's text as pixels
    captions.py    captions, burnt in or beside            wrap.py      where a line may break
    sound.py       the whole sound of a film               voice.py, bed.py, loudness.py
    endcard.py     name, address, QR code, advice          layout.py    where each thing stands on it
    legible.py     whether a phone's owner can read it     thumbnail.py the picture that stands for a film
    encode.py      a body's pictures, encoded              join.py      body, card and sound as one file
    fonts.py       typefaces and the width of text         run.py       the programs that do the work
"""
