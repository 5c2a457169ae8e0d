# %% [markdown]
# # Vectors
#
# The tokenizer does the surface work: cutting and counting. Now comes the part that reads.

# %% [markdown]
# ## The encoder
#
# An encoder is a Transformer that reads a whole text and turns it into numbers that stand for its meaning. It doesn't write anything. It has read a great deal, long before we met it: by guessing hidden words in millions of sentences (or by imitating a larger model that did). It was never asked about emotions. Here it only reads, too (*inference*): nothing in it learns yet, so nothing has to be remembered for learning. In torch, that is `no_grad`.

# %%
encoder = el.Encoder(ENCODER, pooling="mean")
print(encoder)
print(encoder.runtime)

# %% [markdown]
# The second line says where it computes. With a CUDA graphics card, it takes that one. Without, the processor does it, with the fastest engine and number format that it has (`bf16` numbers are half as long as `fp32`). Nobody has to write `.to(device)` and forget it once.
#
# **Try this:** `el.Encoder(ENCODER, precision="fp32")` computes in full precision. Later on, when you have figures, see whether you can find the difference.

# %% [markdown]
# ## Hidden states: a peek inside its head
#
# For every token of every text, the encoder's last layer holds a row of numbers. They are called *hidden states*. Let's look at two short sentences.

# %%
states = encoder.hidden_states(["I am fine.", "I paid a fine."])
states.shape

# %% [markdown]
# Three numbers, and it is worth saying them aloud once: **texts, tokens, dimensions**. Two texts; as many tokens as the longer one has; and for each token, a row of numbers. MiniLM uses 384 of them, DistilBERT 768.
#
# Both sentences hold the word "fine", and it has the same id in both. Does it also have the same vector? Count the tokens from `[CLS]`, which is 0: "fine" is token 3 of the first sentence, and token 4 of the second.

# %%
feeling, money = states[0, 3], states[1, 4]
cosine = feeling @ money / (np.linalg.norm(feeling) * np.linalg.norm(money))
print(f"similarity of fine and fine: {cosine:.2f}")

# %% [markdown]
# It does not: 1 would be "in the same direction", 0 "nothing in common", and −1 "in opposite directions". (More about this under *Why cosine*.) The token is the same, the vector isn't, because each token has looked at all the others. That looking is what *attention* means. An id says which word it is. A hidden state says which word it is *here*.
#
# **Try this:** let two feelings meet: "I am fine." and "I am fine, really." In both, "fine" is token 3, so compare `states[0, 3]` with `states[1, 3]`. Or the classic: "I'm fine." said by somebody who absolutely isn't. The model can't hear the tone either.

# %% [markdown]
# ## One vector for a whole text
#
# A classifier wants one row of numbers for each text, not one for each token. There are two usual ways to get it.
#
# - **The first token.** `[CLS]` stands in front of every text and means nothing by itself. It can look at all other tokens. BERT learned to tell there whether two passages belong together, and DistilBERT learned to imitate BERT, so it is *supposed* to sum up. That is what the reference takes.
# - **The mean.** Average the vectors of all tokens, without the filling. MiniLM was trained this way by its makers, so this is the natural choice for it.
#
# Ask an encoder for what it was trained to give. The mean, made by hand, of the second text:

# %%
texts = ["I am so happy today!", "What a day."]
batch = el.padded_batch(tokenizer, texts)
n = batch[1]["n_tokens"]
mean = encoder.hidden_states(texts)[1, :n].mean(axis=0)
difference = np.abs(mean - encoder.encode(texts)[1]).max()
print(f"{n} tokens; largest difference from encode(): {difference:.3f}")

# %% [markdown]
# No magic: `encode` does just this. (A difference in the third decimal place is the price of `bf16`.) Note the slice up to `n`. The first text is longer, so the second one is padded. Forget the slice, and every short text gets a vector full of padding. That is a common bug, and it never crashes.
#
# **Try this:** compare with the first token: `el.Encoder(ENCODER, pooling="cls").encode(texts)`. In two parts from here, we let a classifier decide which of the two knows more about feelings.

# %% [markdown]
# ## Every text becomes a row
#
# One line, and some waiting.

# %%
vectors = encoder.embed(dataset)
X_train = vectors["train"]
print(X_train.shape, y_train.shape)
vectors

# %% [markdown]
# Always check your shapes. It will save you from a world of pain with mismatched dimensions and "but why won't this run?" moments. Rows: as many as texts. Columns: as many as dimensions. Labels: one for each row. (The script keeps the rows as one more column of the dataset, `hidden_state`. Here they are NumPy arrays from the beginning.)
#
# In `emotion`, three encoders give these shapes for train and validation:
#
# | encoder | parameters | train | validation |
# |---|---|---|---|
# | DistilBERT, first token, as the reference reports it | 66 million | (16000, 768) | (2000, 768) |
# | MiniLM, mean: this page | 23 million | (16000, 384) | (2000, 384) |
# | all-mpnet-base-v2, first token, run with emolens | 109 million | (16000, 768) | (2000, 768) |
#
# Twice as many numbers are not twice as much meaning. Hold on to that thought; [the figures](reference.md) come later.
#
# **Try this:** run the cell again. It is much faster: emolens keeps vectors, and knows which model, which texts and which settings they came from.
