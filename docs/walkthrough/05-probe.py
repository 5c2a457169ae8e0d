# %% [markdown]
# # A straight line
#
# The map shows that the encoder has noticed *something*. Now we measure how much, with one of the simplest classifiers that there are.

# %% [markdown]
# ## The probe
#
# A logistic regression gives each of the vector's numbers a weight for each emotion, adds up, and takes the emotion with the largest sum. That's all. The encoder stays frozen: nothing in it changes.

# %%
held_out = vectors["validation"], dataset.y["validation"]
probe = el.Probe().fit(X_train, y_train, eval_set=held_out)
print(f"right on validation: {probe.score(*held_out):.4f}")

# %% [markdown]
# In `emotion`, the reference reports 0.6335 with DistilBERT. MiniLM with its mean gives 0.7075 in [the results of emolens](results-emotion-minilm.md). The far larger all-mpnet-base-v2 gives 0.6745 with its first token, as in the reference, and 0.6790 with its mean, which its makers trained. So more numbers for each text don't make a better probe. (Your last digit may differ: other processors round in another way. And all of them are a little too good, because the same rows helped to choose a setting.)
#
# Not mind-blowing, but not garbage either. For a logistic regression just chilling on top of a model that never asked to do this, it's pretty solid. It's like asking somebody who has never studied psychology to guess your mood from your tweets, and being right seven times out of ten. Not bad, random stranger. Not bad. The encoder is like the quiet kid in the last row who never says a word, and has somehow absorbed the whole lecture.
#
# **Try this:** `probe.C_` says how bold the probe may be; it was chosen on validation from five values. What if there is only one choice: `el.Probe(strengths=(10.0,))`?

# %% [markdown]
# ## First token or mean? Let the probe decide
#
# We had two ways to make one vector of a text. Now we have a way to ask which one knows more.

# %%
first = el.Encoder(ENCODER, pooling="cls").embed(dataset)
of_first = first["validation"], dataset.y["validation"]
probe_of_first = el.Probe().fit(first["train"], y_train, eval_set=of_first)
print(f"first token: {probe_of_first.score(*of_first):.4f}")
print(f"mean:        {probe.score(*held_out):.4f}")

# %% [markdown]
# In `emotion`, the mean wins with MiniLM, and by a wide margin. That is no law of nature. It is what this encoder was trained for. With DistilBERT, try both and take the better one, on *validation*.
#
# **Try this:** what does an earlier layer know? `el.Encoder(ENCODER, pooling="mean", layer=3)`. The last layer is not always the best reader.

# %% [markdown]
# ## What linear separability means
#
# The probe can only draw straight borders. If it is good, then the classes lie apart in a way that a flat cut can separate: they are *linearly separable*. If it is bad, the feelings are there but tangled, or they aren't there at all. To tell good from bad, we need something to hold it against.

# %%
of_probe = probe.scores(vectors, dataset.labels)
ladder = el.evaluate(dataset, [el.majority(dataset), el.tfidf(dataset), of_probe])
el.ScoreDisplay(ladder.by_split["validation"], "validation")

# %% [markdown]
# The lines are 95 % intervals: the figure for *all* texts of this kind likely lies in there. "TF-IDF" is the oldest trick in the book. It counts words, reads nothing, and hands the counts to the same kind of classifier.
#
# And here comes a surprise. In `emotion`, counting words is right in 0.8845 of the cases, far more than our clever frozen encoder. Why? Its labels were hashtags, which the writers had put behind their messages. Many messages also hold a word that gives the hashtag away: *jealous*, *terrified*, *overwhelmed*. If one word is enough, counting wins. The probe sees only a summary of the text, and the one word drowns in it. In `starter`, texts like that were left out on purpose, and there it's the other way round.
#
# So the plain baseline tells you as much about your *data* as about your model. Never publish a figure without one.
#
# So in *these vectors*, the emotions don't lie apart well enough for a flat cut. In the counts of words, the same kind of cut does better. And words aren't everything. This is human stuff. Sarcasm exists. Context exists. People say "I'm fine" when they are absolutely not. Who wants real emotional intelligence should perhaps not ask a network with twelve attention heads and no heart.
#
# **Try this:** write down ten words that give a feeling away, and count on validation how many texts they decide, and how often they are right. The names of the six emotions alone get you nowhere: people hardly use them.

# %% [markdown]
# ## The matrix spills the tea
#
# One figure says how often the probe is right. It doesn't say *where* it fails. And if it thinks that fear is love, we need to talk.

# %%
answers = of_probe.predictions("validation")
y_true = dataset.y["validation"]
el.ConfusionDisplay.from_predictions(y_true, answers, labels=dataset.labels)

# %% [markdown]
# Each row is a true emotion, and its numbers add up to 1. Each column is what the probe answered. On the diagonal, it was right. Everything else is a mix-up, and the darker, the more common.
#
# **Try this:** find the emptiest cell off the diagonal, and then its mirror image on the other side. Do they agree? Being taken for somebody else often works in one direction only.

# %% [markdown]
# ## Read it aloud
#
# A matrix is best read like a sentence, one pair at a time, starting with the worst.

# %%
figures = ladder.by_split["validation"]["probe"]
for label, answer, rows, share in figures.mistaken(8):
    print(f"{label} is taken for {answer}: {rows} texts, {share:.0%} of {label}")

# %% [markdown]
# In `emotion`, it goes like this.
#
# **Love is taken for joy**: 64 texts, 36 % of love. Falling in love, a birthday cake, a letter from an old friend: on the surface, it all feels like joy. The other way round it hardly ever happens. Joy is by far the larger class, and when the probe is in doubt, it sides with the many.
#
# **Surprise is taken for joy** (25 %) **and for sadness** (23 %). A surprising gift, a surprising bill. Surprise was all over the map, and here it is all over the matrix.
#
# **Anger is taken for sadness**: 57 texts, 21 % of anger. If you are shouting, chances are that something hurts underneath. The probe is basically going "You okay?", and writes down sadness.
#
# **Fear is taken for sadness**: 15 %. The same story, in a lower voice.
#
# See the two magnets? Every arrow here ends at joy or at sadness. They are the two largest classes, so an uncertain probe is right more often if it guesses them. And it all lines up with the map: what lies together there is mixed up here.
#
# So the probe isn't dumb. It's just emotionally approximate, like somebody who hugs you when you are angry because they can't tell the difference.
#
# **Try this:** turn the question around. Of everything that the probe *calls* joy, how much is joy? `figures.per_class["joy"]` has both answers: recall is "found", precision is "rightly called".
